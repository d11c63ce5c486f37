//! Copying many words: as fast as the machine copies memory, and still word by word as far as anybody can tell.
//!
//! A plain copy beside somebody who writes would be a data race. The compiler keeps a loop of atomic accesses as it is, one
//! word at a time; so on x86-64 with AVX a short copy is done 16 bytes at a time, and the middle of a long one 128, by
//! instructions that the compiler does not look into. On such a processor an aligned access of 16 bytes is one access (Intel's
//! manual, volume 3, 9.1.1; AMD's, volume 2, 7.3.2), and one of 32 bytes is no worse than two.

use super::ShmWord;
use crate::platform::{Int, Ordering};
#[cfg(target_arch = "x86_64")]
use std::arch::asm;

/// What a long copy moves at a time, how the words must be aligned, and from how much on it is worth its start.
const BLOCK: usize = 128;
const ALIGNMENT: usize = 32;
const LONG: usize = 2 * BLOCK;

/// What a short copy moves at a time, and how the words must be aligned for that.
const PAIR: usize = 16;

/// Whether this machine has the fast ways.
#[inline(always)]
fn is_fast() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Reads `words` into `bytes`, each word in one access; the last in part, if there is no room for more.
#[inline(always)]
pub(super) fn out<V: Int>(words: &[ShmWord<V>], bytes: &mut [u8], ordering: Ordering) {
    if bytes.len() >= LONG {
        out_by_blocks(words, bytes, ordering);
    } else if is_paired(words, bytes.len()) {
        out_by_pairs(words, bytes, ordering);
    } else {
        out_by_words(words, bytes, ordering);
    }
}

/// Whether so many bytes are worth reading in pairs of words, and may be.
#[inline(always)]
fn is_paired<V: Int>(words: &[ShmWord<V>], bytes: usize) -> bool {
    bytes >= PAIR && bytes <= size_of_val(words) && words.as_ptr().addr().is_multiple_of(PAIR) && is_fast()
}

/// Two words of 8 bytes at a time: what is read is soon moved, by as much as that at a time, and a processor hands on what was
/// just stored at once only if it was stored in one.
#[inline(always)]
fn out_by_pairs<V: Int>(words: &[ShmWord<V>], bytes: &mut [u8], ordering: Ordering) {
    let mut from: *const u8 = words.as_ptr().cast();
    let whole = bytes.len() / PAIR * PAIR;
    let (pairs, rest) = bytes.split_at_mut(whole);
    for pair in pairs.chunks_exact_mut(PAIR) {
        // SAFETY: `is_paired` found as many bytes of words, aligned, and AVX.
        pair.copy_from_slice(&unsafe { load_pair(from) });
        from = from.wrapping_add(PAIR);
    }
    out_by_words(&words[whole / size_of::<V>()..], rest, ordering);
}

#[inline(never)]
fn out_by_blocks<V: Int>(words: &[ShmWord<V>], bytes: &mut [u8], ordering: Ordering) {
    let (head, middle) = split::<V>(words, bytes.len());
    let (first, rest) = bytes.split_at_mut(head);
    let (second, third) = rest.split_at_mut(middle);
    let shared = words.as_ptr().wrapping_byte_add(head);
    // SAFETY: if any, `split` found `middle` bytes of words from here on, aligned, and AVX; `second` is as long, and ours alone.
    unsafe { copy_blocks(shared.cast(), second.as_mut_ptr(), middle) };
    out_by_words(words, first, ordering);
    out_by_words(&words[(head + middle) / size_of::<V>()..], third, ordering);
}

/// Writes `bytes` into `words`, each word in one access; what `bytes` lacks of the last is 0.
#[inline(always)]
pub(super) fn into<V: Int>(words: &[ShmWord<V>], bytes: &[u8], ordering: Ordering) {
    if bytes.len() >= LONG {
        into_by_blocks(words, bytes, ordering);
    } else if is_paired(words, bytes.len()) {
        into_by_pairs(words, bytes, ordering);
    } else {
        into_by_words(words, bytes, ordering);
    }
}

/// Two words of 8 bytes at a time: the processor can have but so many stores under way, and those into a ring wait for the
/// other side's processor to let the line go. The bytes are read word by word, for that is how they may just have been stored.
#[inline(always)]
fn into_by_pairs<V: Int>(words: &[ShmWord<V>], bytes: &[u8], ordering: Ordering) {
    let mut to: *mut u8 = words.as_ptr().cast_mut().cast();
    let whole = bytes.len() / PAIR * PAIR;
    let (pairs, rest) = bytes.split_at(whole);
    for pair in pairs.chunks_exact(PAIR) {
        // SAFETY: `is_paired` found as many bytes of words, aligned, and AVX; the words are cells, which may be written
        // through a shared reference.
        unsafe { store_pair(pair.as_ptr(), to) };
        to = to.wrapping_add(PAIR);
    }
    into_by_words(&words[whole / size_of::<V>()..], rest, ordering);
}

#[inline(never)]
fn into_by_blocks<V: Int>(words: &[ShmWord<V>], bytes: &[u8], ordering: Ordering) {
    let (head, middle) = split::<V>(words, bytes.len());
    let (first, rest) = bytes.split_at(head);
    let (second, third) = rest.split_at(middle);
    let shared = words.as_ptr().wrapping_byte_add(head);
    // SAFETY: as in `out`; and the words are cells, which may be written through a shared reference.
    unsafe { copy_blocks(second.as_ptr(), shared.cast_mut().cast(), middle) };
    into_by_words(words, first, ordering);
    into_by_words(&words[(head + middle) / size_of::<V>()..], third, ordering);
}

/// How many bytes to copy by words until the words are aligned, and how many by blocks after that.
#[inline(always)]
fn split<V: Int>(words: &[ShmWord<V>], bytes: usize) -> (usize, usize) {
    let bytes = bytes.min(size_of_val(words));
    if bytes < LONG || !is_fast() {
        return (0, 0);
    }
    let head = words.as_ptr().addr().wrapping_neg() % ALIGNMENT;
    (head, (bytes - head) / BLOCK * BLOCK)
}

#[inline(always)]
fn out_by_words<V: Int>(words: &[ShmWord<V>], bytes: &mut [u8], ordering: Ordering) {
    let mut chunks = bytes.chunks_exact_mut(size_of::<V>());
    let mut words = words.iter();
    for (chunk, word) in chunks.by_ref().zip(words.by_ref()) {
        word.load(ordering).to_bytes(chunk);
    }
    let rest = chunks.into_remainder();
    if !rest.is_empty()
        && let Some(word) = words.next()
    {
        word.load(ordering).to_bytes(rest);
    }
}

#[inline(always)]
fn into_by_words<V: Int>(words: &[ShmWord<V>], bytes: &[u8], ordering: Ordering) {
    let chunks = bytes.chunks_exact(size_of::<V>());
    let rest = chunks.remainder();
    let mut words = words.iter();
    for (chunk, word) in chunks.zip(words.by_ref()) {
        word.store(V::from_bytes(chunk), ordering);
    }
    if !rest.is_empty()
        && let Some(word) = words.next()
    {
        word.store(V::from_bytes(rest), ordering);
    }
}

/// Reads 16 bytes in one access.
///
/// # Safety
/// They may be read, they are aligned to [`PAIR`], and the processor has AVX, which makes it one access.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn load_pair(from: *const u8) -> [u8; PAIR] {
    let pair: std::arch::x86_64::__m128i;
    // SAFETY: reads what the caller vouches for, and nothing else.
    unsafe { asm!("movdqa {}, [{}]", out(xmm_reg) pair, in(reg) from, options(readonly, nostack, preserves_flags)) };
    // SAFETY: both are 16 bytes, of which any is valid.
    unsafe { std::mem::transmute(pair) }
}

/// Writes 16 bytes in one access, having read them in two.
///
/// # Safety
/// They may be read, and `to` written, which is aligned to [`PAIR`], and the processor has AVX, which makes it one access.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn store_pair(from: *const u8, to: *mut u8) {
    // SAFETY: reads and writes what the caller vouches for, and nothing else.
    unsafe {
        asm!(
            "movq {pair}, [{from}]",
            "movhps {pair}, [{from} + 8]",
            "movdqa [{to}], {pair}",
            pair = out(xmm_reg) _,
            from = in(reg) from,
            to = in(reg) to,
            options(nostack, preserves_flags)
        );
    }
}

/// There is no fast way on this machine: `is_paired` never says yes.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn store_pair(_from: *const u8, _to: *mut u8) {}

/// There is no fast way on this machine: `is_paired` never says yes.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn load_pair(_from: *const u8) -> [u8; PAIR] {
    [0; PAIR]
}

/// Copies `bytes` bytes, a multiple of [`BLOCK`].
///
/// # Safety
/// If `bytes` is not 0: the processor has AVX, `from` may be read and `to` written for so many bytes, and the shared one of
/// the two is aligned to [`ALIGNMENT`], which makes every access to it one of aligned 32 bytes.
#[cfg(target_arch = "x86_64")]
unsafe fn copy_blocks(from: *const u8, to: *mut u8, bytes: usize) {
    if bytes == 0 {
        return;
    }
    // SAFETY: reads and writes what the caller vouches for, and nothing else; the registers are given up like a call's.
    unsafe {
        asm!(
            "2:",
            "vmovdqu ymm0, [rsi]",
            "vmovdqu ymm1, [rsi + 32]",
            "vmovdqu ymm2, [rsi + 64]",
            "vmovdqu ymm3, [rsi + 96]",
            "vmovdqu [rdi], ymm0",
            "vmovdqu [rdi + 32], ymm1",
            "vmovdqu [rdi + 64], ymm2",
            "vmovdqu [rdi + 96], ymm3",
            "add rsi, 128",
            "add rdi, 128",
            "sub rcx, 128",
            "jnz 2b",
            "vzeroupper",
            inout("rsi") from => _,
            inout("rdi") to => _,
            inout("rcx") bytes => _,
            clobber_abi("C"),
            options(nostack)
        );
    }
}

/// There is no fast way on this machine: `split` leaves everything to the words.
///
/// # Safety
/// None is needed.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn copy_blocks(_from: *const u8, _to: *mut u8, _bytes: usize) {}
