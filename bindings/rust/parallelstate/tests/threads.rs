//! What the binding itself does, with threads as ranks. What every operation computes is the shared table's to say:
//! examples/conformance.rs.

mod common;

use common::{alone, contexts, refused, world, DEADLINE};
use parallelstate::{
    Blocks, Bool8, Context, DataType, Group, GroupOptions, Message, OwnedMessage, RankState, RawMessage, ReduceOp,
    ResultCode, Store, Work, NEXT, PREV,
};

#[test]
fn handles_and_works_may_go_to_other_threads() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Context>();
    send_and_sync::<Group>();
    send_and_sync::<Store>();
    send_and_sync::<parallelstate::Bytes>();
    send_and_sync::<parallelstate::Error>();
    send_and_sync::<Work<Vec<f32>>>();
    send_and_sync::<parallelstate::PremulSum<f32>>();
}

#[test]
fn one_rank_is_a_world() {
    let context = alone();
    assert_eq!((context.rank(), context.world_size()), (0, 1));
    let info = context.world_info().unwrap();
    assert_eq!((info.node, info.node_count, info.device_index), (0, 1, None));
    assert!(info.failure.is_none() && info.failed_global_rank.is_none());
    let own = context.rank_info(0).unwrap();
    assert_eq!((own.state, own.pid), (RankState::ALIVE, std::process::id() as i32));
    refused(context.rank_info(1), ResultCode::ARGUMENT, "1");
    assert!(context.describe().unwrap().starts_with('{'));
    context.finalize().unwrap();
}

#[test]
fn groups_know_their_members() {
    world(3, |context| {
        let everyone = context.world().unwrap();
        let pair = (context.rank() != 1).then(|| context.new_group(&[2, 0], &GroupOptions::named("pair")).unwrap());
        if let Some(pair) = pair {
            assert_eq!((pair.size(), pair.name()), (2, "pair"));
            assert_eq!(pair.rank(), if context.rank() == 2 { 0 } else { 1 });
            assert_eq!((pair.is_first(), pair.is_last()), (context.rank() == 2, context.rank() == 0));
            assert_eq!((pair.next(), pair.prev()), (1 - pair.rank(), 1 - pair.rank()));
            assert_eq!(pair.global_ranks().unwrap(), [2, 0]);
            assert_eq!(pair.find_global(0), Ok(1));
            refused(pair.find_global(1), ResultCode::NOT_FOUND, "pair");
            assert_eq!(pair.same_host(0).unwrap(), [true, true]);
            let info = pair.info().unwrap();
            assert_eq!((info.global_first, info.global_last, info.host_count), (2, 0, 1));
            assert_eq!(info.timeout, DEADLINE);
            pair.set_timeout(Some(DEADLINE / 2)).unwrap();
            assert_eq!(pair.info().unwrap().timeout, DEADLINE / 2);
            pair.close().unwrap();
        }
        let options = GroupOptions::new().deterministic(true);
        let part = everyone.split((context.rank() > 0).then_some(7), -context.rank(), &options).unwrap();
        match part {
            None => assert_eq!(context.rank(), 0),
            Some(part) => {
                assert_eq!(part.global_ranks().unwrap(), [2, 1]);
                assert!(part.info().unwrap().deterministic && !part.info().unwrap().warm_up);
            }
        }
        refused(everyone.split(Some(-3), 0, &options), ResultCode::ARGUMENT, "color -3 is negative");
        refused(context.group("nobody"), ResultCode::NOT_FOUND, "world");
    });
}

#[test]
fn blocks_may_lie_anywhere() {
    world(2, |context| {
        let group = context.world().unwrap();
        let own = [group.rank() + 1; 2];
        let mut apart = [0; 7];
        group.all_gather_v_into(&own, &mut apart, Blocks::at(&[2, 2], &[4, 1])).unwrap();
        assert_eq!(apart, [0, 2, 2, 0, 1, 1, 0]);

        let mut data = [0; 7];
        let begin = [4, 1][group.rank() as usize];
        data[begin..begin + 2].copy_from_slice(&own);
        group.all_gather_v(&mut data, Blocks::at(&[2, 2], &[4, 1])).unwrap();
        assert_eq!(data, apart);

        // One element to oneself, none to the other, and back.
        let counts = if group.is_first() { [1, 0] } else { [0, 1] };
        let mut same = [5u8, 6];
        let offsets = if group.is_first() { [1, 0] } else { [0, 1] };
        group.all_to_all_v(&mut same, Blocks::at(&counts, &offsets)).unwrap();
        assert_eq!(same, [5, 6]);
    });
}

#[test]
fn a_factor_of_its_own_for_each_rank() {
    world(2, |context| {
        let group = context.world().unwrap();
        let factor = [0.5, 4.0][group.rank() as usize];
        let mut data = [2.0f32, 4.0];
        let weighted = group.premul_sum(factor).unwrap();
        group.all_reduce(&mut data, &weighted).unwrap();
        assert_eq!(data, [9.0, 18.0]);
        let double = group.premul_sum::<f64>(2.0).unwrap();
        let mut data = [1.0f64];
        group.all_reduce(&mut data, &double).unwrap();
        assert_eq!(data, [4.0]);

        let other = context.new_group(&[0, 1], &GroupOptions::named("other")).unwrap();
        refused(other.all_reduce(&mut [1.0f32], &weighted), ResultCode::ARGUMENT, "belongs to another group");
        drop(group);
        drop(weighted); // after its group, which it keeps
    });
}

#[test]
fn messages_of_several_types_in_one_batch() {
    world(3, |context| {
        let ring = context.world().unwrap();
        let rank = ring.rank();
        let (low, high) = ([rank], [f64::from(rank), 0.5]);
        let (mut from_prev, mut from_next) = ([0], [0.0; 2]);
        ring.batch([
            Message::send(&low, NEXT, 1),
            Message::recv(&mut from_prev, PREV, 1),
            Message::send(&high, PREV, 2),
            Message::recv(&mut from_next, NEXT, 2),
        ])
        .unwrap();
        assert_eq!((from_prev[0], from_next), (ring.prev(), [f64::from(ring.next()), 0.5]));

        let sent =
            vec![OwnedMessage::send(vec![rank], NEXT, 3), OwnedMessage::recv(vec![Bool8::default(); 2], PREV, 4)];
        let work = ring.batch_async(sent).unwrap();
        let mut received = [0];
        ring.recv(&mut received, PREV, 3).unwrap();
        ring.send(&[Bool8::from(true); 2], ring.next(), 4).unwrap();
        let mut messages = work.wait().unwrap();
        let flags = messages.pop().unwrap().into_buffer::<i32>().unwrap_err().into_buffer::<Bool8>().unwrap();
        assert!(flags.iter().all(|flag| flag.get()));
        assert_eq!(messages.pop().unwrap().into_buffer::<i32>().unwrap(), [rank]);
        assert_eq!(received, [ring.prev()]);

        let (mut mine, mut theirs) = ([0u8; 3], [0i64]);
        let token = [i64::from(rank)];
        ring.scope(|s| {
            s.batch([Message::send(&token, NEXT, 0), Message::recv(&mut theirs, PREV, 0)])?;
            s.send_recv(&[7u8; 3], &mut mine, NEXT, PREV, 9)?.wait()?;
            s.barrier()?.wait()
        })
        .unwrap();
        assert_eq!((mine, theirs[0]), ([7; 3], i64::from(ring.prev())));
    });
}

#[test]
fn borrowed_buffers_come_back_before_the_scope_ends() {
    world(2, |context| {
        let group = context.world().unwrap();
        let (mut first, mut second) = (vec![group.rank() + 1; 3], [1u64; 2]);
        let sum = group
            .scope(|s| {
                let work = s.all_reduce(&mut first, ReduceOp::SUM)?;
                let mut other = s.all_reduce(&mut second, ReduceOp::PRODUCT)?;
                let first = work.wait()?;
                first[0] *= 10;
                other.wait_timeout(DEADLINE)?;
                assert!(other.is_done() && other.test()? && other.error().is_none());
                Ok(first.iter().sum::<i32>() + other.into_buffers().unwrap()[0] as i32)
            })
            .unwrap();
        assert_eq!((sum, &first[..]), (37, &[30, 3, 3][..]));
    });
}

#[test]
fn pointers_with_a_work_or_without() {
    world(2, |context| {
        let group = context.world().unwrap();
        let none = std::ptr::null_mut();
        let mut data = [group.rank(); 4];
        let pointer = data.as_mut_ptr().cast();
        unsafe {
            group.raw(none).all_reduce(pointer, pointer, 4, DataType::INT32, ReduceOp::SUM).unwrap();
            let mut work = group.raw_async(none).broadcast(pointer, pointer, 4, DataType::INT32, 1).unwrap();
            work.order(none, None).unwrap();
            work.wait().unwrap();
        }
        assert_eq!(data, [1; 4]);
        let (send, mut recv) = ([group.rank()], [9]);
        let messages = [
            RawMessage::send(send.as_ptr().cast(), 1, DataType::INT32, NEXT, 0),
            RawMessage::recv(recv.as_mut_ptr().cast(), 1, DataType::INT32, PREV, 0),
        ];
        unsafe { group.raw(none).batch(&messages).unwrap() };
        assert_eq!(recv, [group.prev()]);
        group.raw_async(none).barrier().unwrap().wait().unwrap();
    });
}

#[test]
fn several_threads_share_a_group() {
    world(2, |context| {
        let group = &context.world().unwrap();
        std::thread::scope(|threads| {
            for tag in 0..4 {
                threads.spawn(move || {
                    let mut received = [0];
                    group.send_recv(&[tag * 10 + group.rank()], &mut received, NEXT, PREV, tag).unwrap();
                    assert_eq!(received, [tag * 10 + group.prev()]);
                });
            }
        });
    });
}

#[test]
fn an_abort_ends_calls_that_are_blocked() {
    world(2, |context| {
        let group = context.world().unwrap();
        if group.is_first() {
            refused(group.barrier(), ResultCode::ABORTED, "enough");
            let info = group.info().unwrap();
            assert_eq!(info.failed_global_rank, Some(1));
            assert!(info.failure.unwrap().is_aborted());
        } else {
            group.abort("enough").unwrap();
            assert!(group.barrier().unwrap_err().is_aborted());
            context.abort("everything").unwrap();
            assert!(context.world_info().unwrap().failure.unwrap().message().contains("everything"));
        }
    });
}

#[test]
fn finalizing_ends_calls_that_are_blocked() {
    contexts(2, |context| {
        let group = context.world().unwrap();
        if context.rank() == 1 {
            // Leave when rank 0 is about to wait; whether it waits already does not matter.
            group.recv(&mut [0u8], 0, 0).unwrap();
            context.finalize().unwrap();
            refused(group.barrier(), ResultCode::STATE, "finalize");
            return;
        }
        std::thread::scope(|threads| {
            let blocked = threads.spawn(|| {
                group.send(&[1u8], 1, 0).unwrap();
                group.recv(&mut [0u8], 1, 1)
            });
            assert!(blocked.join().unwrap().unwrap_err().is_peer_failed());
        });
    });
}

#[test]
fn the_library_tells_about_itself() {
    assert_eq!(parallelstate::library_version().map(|(major, minor, _)| (major, minor)), Ok((0, 1)));
    assert!(parallelstate::library_info().unwrap().contains("\"version\""));
    assert!(!parallelstate::library_path().unwrap().is_empty());
    assert_eq!(ResultCode::PEER_FAILED.to_string(), "PS_ERR_PEER_FAILED");
    assert_eq!(format!("{:?} {:?}", ResultCode::TIMEOUT, DataType::from_raw(99)), "ResultCode::TIMEOUT DataType(99)");
    assert_eq!(ResultCode::from_raw(-99).name(), "unknown result");
}
