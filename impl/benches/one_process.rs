//! What every operation costs one process that nobody disturbs.
//!
//! `cargo bench -p procession --bench one_process -- [what]`. Contention and other locks: `against_pthread.rs`.

#![allow(clippy::disallowed_types)] // a plain atomic is what a value's `get` is measured against

use criterion::{BatchSize, Criterion};
use procession::layout::Kind;
use procession::shm::{Attachment, Blueprint};
use procession::{Array, Lock, RLock, RawValue, TypePrint, Value};
use std::hint::black_box;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

const FINE: &str = "nobody else uses it";

fn locks(criterion: &mut Criterion) {
    let (lock, rlock) = (Lock::new().expect(FINE), RLock::new().expect(FINE));
    let mut group = criterion.benchmark_group("lock");
    group.bench_function("Lock lock+unlock", |bencher| {
        bencher.iter(|| drop(black_box(&lock).lock().expect(FINE)));
    });
    group.bench_function("RLock lock+unlock", |bencher| {
        bencher.iter(|| drop(black_box(&rlock).lock().expect(FINE)));
    });
    let _outer = rlock.lock().expect(FINE);
    group.bench_function("RLock lock+unlock by its holder", |bencher| {
        bencher.iter(|| drop(black_box(&rlock).lock().expect(FINE)));
    });
}

fn values(criterion: &mut Criterion) {
    let (atomic, raw) = (AtomicU64::new(1), RawValue::new(1u64).expect(FINE));
    let (word, array) = (Value::new(1u64).expect(FINE), Value::new([1u64; 8]).expect(FINE));
    let mut group = criterion.benchmark_group("value");
    group.bench_function("atomic load", |bencher| {
        bencher.iter(|| black_box(&atomic).load(Ordering::Acquire));
    });
    group.bench_function("Value<u64>::get", |bencher| bencher.iter(|| black_box(&word).get().expect(FINE)));
    group.bench_function("RawValue<u64>::get", |bencher| bencher.iter(|| black_box(&raw).get().expect(FINE)));
    group.bench_function("Value<u64>::set", |bencher| {
        bencher.iter(|| black_box(&word).set(black_box(7)).expect(FINE));
    });
    group.bench_function("Value<u64>::fetch_add", |bencher| {
        bencher.iter(|| black_box(&word).fetch_add(black_box(1)).expect(FINE));
    });
    group.bench_function("Value<u64> guard += 1", |bencher| {
        bencher.iter(|| *black_box(&word).lock().expect(FINE) += 1);
    });
    group.bench_function("Value<[u64; 8]>::get", |bencher| bencher.iter(|| black_box(&array).get().expect(FINE)));
    group.bench_function("Value<[u64; 8]>::set", |bencher| {
        bencher.iter(|| black_box(&array).set(black_box([7; 8])).expect(FINE));
    });
}

/// Elements beside plain atomics, and a slice of 4 KiB beside the same copy between two vectors under the same lock.
fn arrays(criterion: &mut Criterion) {
    const LENGTH: usize = 1024;
    let (atomics, array) =
        (Vec::from_iter((0..LENGTH as i32).map(AtomicI32::new)), Array::<i32>::new(LENGTH).expect(FINE));
    let mut group = criterion.benchmark_group("array");
    let index = || black_box(7);
    group.bench_function("atomic load", |bencher| {
        bencher.iter(|| black_box(&atomics)[index()].load(Ordering::Acquire));
    });
    group.bench_function("Array<i32>::get", |bencher| bencher.iter(|| black_box(&array).get(index()).expect(FINE)));
    group.bench_function("atomic store", |bencher| {
        bencher.iter(|| black_box(&atomics)[index()].store(black_box(3), Ordering::Release));
    });
    group.bench_function("Array<i32>::set", |bencher| {
        bencher.iter(|| black_box(&array).set(index(), black_box(3)).expect(FINE));
    });
    group.bench_function("atomic fetch_add", |bencher| {
        bencher.iter(|| black_box(&atomics)[index()].fetch_add(1, Ordering::AcqRel));
    });
    group.bench_function("Array<i32>::fetch_add", |bencher| {
        bencher.iter(|| black_box(&array).fetch_add(index(), 1).expect(FINE));
    });
    let (lock, from, mut to) = (Lock::new().expect(FINE), vec![1i32; LENGTH], vec![0i32; LENGTH]);
    group.bench_function("lock + memcpy of 4 KiB", |bencher| {
        bencher.iter(|| {
            let _guard = black_box(&lock).lock().expect(FINE);
            black_box(&mut to).copy_from_slice(black_box(&from));
        });
    });
    group.bench_function("Array<i32>::read_into, 4 KiB", |bencher| {
        bencher.iter(|| black_box(&array).read_into(.., black_box(&mut to)).expect(FINE));
    });
    group.bench_function("Array<i32>::write, 4 KiB", |bencher| {
        bencher.iter(|| black_box(&array).write(.., black_box(&from)).expect(FINE));
    });
    group.bench_function("Array<i32>::snapshot, 4 KiB", |bencher| {
        bencher.iter(|| black_box(&array).snapshot().expect(FINE));
    });
}

/// The first region costs a registration with the kernel: one is made before anything is measured. Only the making is
/// measured, not the end.
fn creation(criterion: &mut Criterion) {
    let element = TypePrint { size: 8, align: 8, code: 0 };
    let blueprint =
        Blueprint { kind: Kind::RawArray, element, length: Some(256 * 1024 / 8), lock_id: 0, codec: 0, options: 0 };
    let region = || Attachment::create(&blueprint, None, |_| ()).expect("enough memory");
    let _first = region();
    let mut group = criterion.benchmark_group("create");
    group.bench_function("region of 256 KiB", |bencher| {
        bencher.iter_batched(|| (), |()| region(), BatchSize::PerIteration);
    });
    group.bench_function("Lock", |bencher| {
        bencher.iter_batched(|| (), |()| Lock::new().expect("enough memory"), BatchSize::PerIteration);
    });
}

// Not criterion's macros: what they generate has no documentation, which is an error here.
fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    locks(&mut criterion);
    values(&mut criterion);
    arrays(&mut criterion);
    creation(&mut criterion);
    criterion.final_summary();
}
