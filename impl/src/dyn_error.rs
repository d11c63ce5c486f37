//! What can go wrong with values and arrays whose type is known by its code.

use crate::array_error::{ElementError, SliceError};
use crate::coded::ConvertError;
use crate::error::CreateError;
use crate::lock_error::AccessError;
use thiserror::Error;

/// A value was not written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DynError {
    /// The type cannot hold it.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// As for [`Value::set`](crate::Value::set).
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// An element was not written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DynElementError {
    /// The type cannot hold it.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// As for [`Array::set`](crate::Array::set).
    #[error(transparent)]
    Element(#[from] ElementError),
}

/// A slice was not written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DynSliceError {
    /// The type cannot hold one of the elements.
    #[error(transparent)]
    Convert(#[from] ConvertSliceError),
    /// As for [`Array::write`](crate::Array::write).
    #[error(transparent)]
    Slice(#[from] SliceError),
}

/// Why a value or an array whose type is known by its code could not be created.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DynCreateError {
    /// The type cannot hold the value.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The type cannot hold one of the elements.
    #[error(transparent)]
    ConvertSlice(#[from] ConvertSliceError),
    /// As for [`Value::create`](crate::Value::create) and [`Array::create`](crate::Array::create).
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// The first element of a slice that the type cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("the element {index} of those given: {error}")]
pub struct ConvertSliceError {
    /// Its place in the slice that was given, wherever in the array that was to go.
    pub index: usize,
    /// Why the type cannot hold it.
    pub error: ConvertError,
}
