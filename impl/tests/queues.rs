//! Queues within one process: every method.

use procession::{
    AsIs, GetError, GetTimeoutError, Getter, Handle, Postcard, PutError, PutTimeoutError, Putter, Queue, QueueOptions,
    TryGetError, TryPutError,
};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);

#[test]
fn full_and_empty() {
    let queue = Queue::bounded(2).unwrap();
    assert!(queue.is_empty() && !queue.is_full());
    queue.put("a".to_owned()).unwrap();
    assert_eq!(queue.len(), Ok(1));
    queue.try_put("b".to_owned()).unwrap();
    assert!(queue.is_full() && !queue.is_empty());
    let refused = queue.try_put("c".to_owned()).unwrap_err();
    assert_eq!((refused.value.as_str(), refused.error), ("c", TryPutError::Full));
    let refused = queue.put_timeout("c".to_owned(), SOON).unwrap_err();
    assert_eq!((refused.value.as_str(), refused.error), ("c", PutTimeoutError::TimedOut));
    assert_eq!(queue.get().unwrap(), "a");
    assert_eq!(queue.try_get().unwrap(), "b");
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    assert_eq!(queue.get_timeout(SOON), Err(GetTimeoutError::TimedOut));
}

#[test]
fn four_threads_and_every_message_once() {
    const EACH: u64 = 20_000;
    for capacity in [4096, 1 << 16] {
        let queue = QueueOptions::new(50).capacity(capacity).create::<u64, AsIs>().unwrap();
        let mut got: Vec<u64> = std::thread::scope(|threads| {
            for putter in 0..2 {
                let queue = queue.putter();
                threads.spawn(move || (0..EACH).for_each(|number| queue.put(putter << 32 | number).unwrap()));
            }
            let getters: Vec<_> = (0..2)
                .map(|_| {
                    let queue = queue.getter();
                    threads.spawn(move || (0..EACH).map(|_| queue.get().unwrap()).collect::<Vec<u64>>())
                })
                .collect();
            getters
                .into_iter()
                .flat_map(|getter| {
                    let got = getter.join().unwrap();
                    // Of each putter, in order.
                    for putter in 0..2 {
                        let of_it: Vec<u64> = got.iter().copied().filter(|it| it >> 32 == putter).collect();
                        assert!(of_it.is_sorted());
                    }
                    got
                })
                .collect()
        });
        got.sort_unstable();
        assert_eq!(got, (0..2).flat_map(|putter| (0..EACH).map(move |it| putter << 32 | it)).collect::<Vec<_>>());
    }
}

#[test]
fn closing() {
    let queue = Queue::bounded(3).unwrap();
    queue.put(1).unwrap();
    queue.close().unwrap();
    let refused = queue.put(2).unwrap_err();
    assert_eq!((refused.value, refused.error), (2, PutError::Closed));
    assert_eq!(queue.get(), Ok(1));
    assert_eq!(queue.get(), Err(GetError::Closed));
    let queue = Queue::bounded(3).unwrap();
    (0..3).for_each(|number| queue.put(number).unwrap());
    queue.close_now().unwrap();
    assert_eq!((queue.get(), queue.len()), (Err(GetError::Closed), Ok(0)));
}

/// Whoever waits is woken by a close, on either side.
#[test]
fn closing_wakes() {
    let (empty, full) = (Queue::<u8>::bounded(1).unwrap(), Queue::bounded(1).unwrap());
    full.put(1).unwrap();
    std::thread::scope(|threads| {
        let getters = [0; 2].map(|_| threads.spawn(|| empty.get()));
        let putters = [0; 2].map(|_| threads.spawn(|| full.put(2).unwrap_err().error));
        std::thread::yield_now();
        empty.close().unwrap();
        full.close().unwrap();
        getters.into_iter().for_each(|getter| assert_eq!(getter.join().unwrap(), Err(GetError::Closed)));
        putters.into_iter().for_each(|putter| assert_eq!(putter.join().unwrap(), PutError::Closed));
    });
}

#[test]
fn nobody_left() {
    let getter = Queue::bounded(2).unwrap().into_getter();
    // The queue was a putter, and is gone.
    assert_eq!(getter.get(), Err::<u8, _>(GetError::Disconnected));
    let queue = Queue::bounded(1).unwrap();
    queue.put(7).unwrap();
    let putter = queue.putter();
    let getter = queue.into_getter();
    drop(putter);
    assert_eq!(getter.get(), Ok(7));
    assert_eq!(getter.get(), Err(GetError::Disconnected));
    let putter = Queue::bounded(1).unwrap().into_putter();
    putter.put(1).unwrap();
    assert_eq!(putter.put(2).unwrap_err().error, PutError::Disconnected);
}

#[test]
fn messages_that_do_not_fit() {
    let queue = QueueOptions::new(9).capacity(4096).create::<Vec<u8>, Postcard>().unwrap();
    queue.put(vec![1; 4000]).unwrap();
    assert_eq!(queue.get().unwrap().len(), 4000);
    let refused = queue.put(vec![1; 5000]).unwrap_err();
    assert_eq!(refused.error, PutError::TooLarge { bytes: 5002, most: 4088 });
    assert_eq!(refused.value.len(), 5000);
    assert!(queue.is_empty());
    for most in [0, (1 << 30) + 1] {
        assert!(QueueOptions::new(most).create::<u8, AsIs>().is_err());
    }
}

#[test]
fn by_name() {
    let name = format!("test-{}-queue", std::process::id());
    let queue = QueueOptions::new(4).named(&name).tick(SOON).create::<u32, Postcard>().unwrap();
    let (putter, getter) = (Putter::<u32>::open(&name).unwrap(), Getter::<u32>::open(&name).unwrap());
    putter.put(5).unwrap();
    assert_eq!(queue.len(), Ok(1));
    assert_eq!(getter.iter().next(), Some(Ok(5)));
    assert_eq!(Queue::<u32>::open(&name).unwrap().max_len(), 4);
}
