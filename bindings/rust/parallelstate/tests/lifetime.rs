//! Buffers live as long as the library may write to them, whatever becomes of the handles; and nothing blocks for it
//! but what says so.

mod common;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::time::Duration;

use common::{alone, contexts, world};
use parallelstate::{parked, ReduceOp, ResultCode};

/// The list of parked works is the process's, so tests that count it run one at a time.
static COUNTING: Mutex<()> = Mutex::new(());

fn counting() -> std::sync::MutexGuard<'static, ()> {
    COUNTING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[test]
fn a_dropped_work_goes_on_and_blocks_nobody() {
    let _guard = counting();
    world(2, |context| {
        let group = context.world().unwrap();
        if group.is_first() {
            drop(group.all_reduce_async(vec![1.0f32; 1000], ReduceOp::SUM).unwrap()); // rank 1 is not there yet
            assert_eq!(parked(), 1);
            group.send(&[0u8], 1, 0).unwrap();
            group.barrier().unwrap();
            while parked() > 0 {
                std::thread::yield_now();
            }
        } else {
            group.recv(&mut [0u8], 0, 0).unwrap();
            let mut data = vec![2.0f32; 1000];
            group.all_reduce(&mut data, ReduceOp::SUM).unwrap();
            assert!(data.iter().all(|&value| value == 3.0));
            group.barrier().unwrap();
        }
    });
}

#[test]
fn a_dropped_group_is_freed_by_its_last_work() {
    let _guard = counting();
    contexts(2, |context| {
        let group = context.world().unwrap();
        if context.rank() == 0 {
            let work = group.recv_async(vec![0u8; 4], 1, 0).unwrap();
            let pair = context.new_group(&[0, 1], &Default::default()).unwrap();
            let pending = pair.recv_async(vec![0i32; 2], 1, 5).unwrap();
            drop(pair); // freeing it would wait for `pending`
            group.send(&[0u8], 1, 1).unwrap();
            assert_eq!(pending.wait().unwrap(), [7, 8]);
            drop(group);
            drop(work);
            assert_eq!(parked(), 1);
            context.finalize().unwrap(); // ends it
            assert_eq!(parked(), 0);
        } else {
            let pair = context.new_group(&[0, 1], &Default::default()).unwrap();
            group.recv(&mut [0u8], 0, 1).unwrap();
            pair.send(&[7, 8], 0, 5).unwrap();
            assert!(group.recv(&mut [0u8], 0, 2).unwrap_err().is_peer_failed());
            // stays until rank 0 has left
        }
    });
}

#[test]
fn a_leaked_work_is_waited_for_by_its_scope() {
    world(2, |context| {
        let group = context.world().unwrap();
        let mut data = vec![group.rank() + 1; 5000];
        group
            .scope(|s| {
                std::mem::forget(s.all_reduce(&mut data, ReduceOp::SUM)?);
                if s.group().is_last() {
                    std::thread::yield_now();
                }
                Ok(())
            })
            .unwrap();
        assert!(data.iter().all(|&value| value == 3));
    });
}

#[test]
fn a_panic_in_a_scope_waits_too() {
    world(2, |context| {
        let group = context.world().unwrap();
        let mut data = [group.rank() + 1; 4];
        let body = || {
            group.scope(|s| {
                let _ = s.all_reduce(&mut data, ReduceOp::SUM)?;
                if s.group().is_first() {
                    panic::resume_unwind(Box::new("out of the scope"));
                }
                Ok(())
            })
        };
        let ended = panic::catch_unwind(AssertUnwindSafe(body));
        assert_eq!(ended.is_err(), group.is_first());
        assert_eq!(data, [3; 4]);
    });
}

#[test]
fn a_failure_that_nobody_waited_for_is_the_scopes() {
    world(2, |context| {
        let group = context.world().unwrap();
        let mut short = [1; 4];
        let mut long = [1; 5];
        let ended = group.scope(|s| {
            let data = if s.group().is_first() { &mut short[..] } else { &mut long[..] };
            drop(s.all_reduce(data, ReduceOp::SUM)?);
            Ok(())
        });
        assert!(ended.unwrap_err().is_mismatch());
        assert_eq!((short, long), ([1; 4], [1; 5]));
    });
}

#[test]
fn a_failure_that_was_told_is_not_told_again() {
    world(2, |context| {
        let group = context.world().unwrap();
        let mut data = vec![1; 4 + group.rank() as usize];
        let told = group.scope(|s| Ok(s.all_reduce(&mut data, ReduceOp::SUM)?.wait().unwrap_err().code()));
        assert_eq!(told, Ok(ResultCode::MISMATCH));
    });
}

#[test]
fn buffers_come_back_from_a_failure() {
    world(2, |context| {
        let group = context.world().unwrap();
        let data = vec![group.rank(); 4 + group.rank() as usize];
        let (result, back) = group.all_reduce_async(data.clone(), ReduceOp::SUM).unwrap().finish();
        assert!(result.unwrap_err().is_mismatch());
        assert_eq!(back, data);
    });
}

#[test]
fn a_wait_that_runs_out_harms_nothing() {
    world(2, |context| {
        let group = context.world().unwrap();
        if group.is_first() {
            let mut work = group.recv_async(vec![0u16; 3], 1, 0).unwrap();
            let error = work.wait_timeout(Duration::from_millis(1)).unwrap_err();
            assert!(error.is_timeout() && error.message().contains("rank 1"), "{error}");
            assert_eq!((work.is_done(), work.test(), work.error()), (false, Ok(false), None));
            let mut work = work.into_buffers().unwrap_err();
            assert_eq!(format!("{work:?}"), "Work(started)");
            group.send(&[0u8], 1, 1).unwrap();
            work.wait_timeout(common::DEADLINE).unwrap();
            assert_eq!(work.test(), Ok(true));
            assert_eq!(work.into_buffers().unwrap(), [5, 6, 7]);
        } else {
            group.recv(&mut [0u8], 0, 1).unwrap();
            group.send(&[5u16, 6, 7], 0, 0).unwrap();
        }
    });
}

#[test]
fn handles_outlive_their_context() {
    let _guard = counting();
    let context = alone();
    let (group, store) = (context.world().unwrap(), context.store().unwrap());
    let mut work = group.recv_async(vec![0u8; 2], 0, 0).unwrap();
    let sum = group.premul_sum::<f32>(2.0).unwrap();
    context.finalize().unwrap();
    assert!(work.is_done());
    assert!(work.error().is_some());
    assert_eq!(work.into_buffers().unwrap().len(), 2);
    assert_eq!(group.barrier().unwrap_err().code(), ResultCode::STATE);
    assert_eq!(store.set("key", "value").unwrap_err().code(), ResultCode::STATE);
    drop(group);
    drop(sum);
}

#[test]
fn a_work_may_be_waited_for_elsewhere() {
    world(2, |context| {
        let group = context.world().unwrap();
        let work = group.all_gather_into_async(vec![group.rank()], vec![0; 2]).unwrap();
        let (sent, all) = std::thread::spawn(move || work.wait().unwrap()).join().unwrap();
        assert_eq!((sent[0], all), (group.rank(), vec![0, 1]));
    });
}
