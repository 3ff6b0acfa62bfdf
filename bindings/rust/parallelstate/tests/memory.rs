//! Memory that all members of a group reach: its use, what members must agree on, and that it is there as long as it can
//! be looked at.

mod common;

use common::{alone, contexts, refused, world};
use parallelstate::{Bool8, Context, Group, GroupOptions, ReduceOp, Registered, ResultCode, SymmetricMemory};

fn everybody(context: &Context) -> Group {
    let ranks: Vec<i32> = (0..context.world_size()).collect();
    context.new_group(&ranks, &GroupOptions::new().own_communicator(true)).unwrap()
}

#[test]
fn memory_may_go_to_other_threads() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<SymmetricMemory<f32>>();
    send_and_sync::<Registered<'static, u8>>();
}

#[test]
fn operations_work_in_it() {
    world(3, |context| {
        let group = context.world().unwrap();
        let mut memory = group.allocate::<f32>(20_000).unwrap();
        assert!(memory.len() == 20_000 && memory.iter().all(|&value| value == 0.0));
        memory.fill(1.0 + group.rank() as f32);
        group.all_reduce(&mut memory, ReduceOp::SUM).unwrap();
        assert!(memory.iter().all(|&value| value == 6.0));

        let (part, rest) = memory.split_at_mut(10_000);
        part.fill(group.rank() as f32);
        group
            .scope(|s| {
                s.all_reduce(part, ReduceOp::MAX)?;
                s.broadcast(rest, 1)?;
                Ok(())
            })
            .unwrap();
        assert!(part.iter().all(|&value| value == 2.0));
        memory.free().unwrap();

        let mut none = group.allocate::<Bool8>(0).unwrap();
        group.all_reduce(&mut none, ReduceOp::LOGICAL_AND).unwrap();
        assert!(none.is_empty());
        none.free().unwrap();
    });
}

#[test]
fn members_agree_or_all_are_told() {
    world(2, |context| {
        let group = context.world().unwrap();
        let len = 100 + group.rank() as usize;
        refused(group.allocate::<u8>(len), ResultCode::MISMATCH, "rank 1 asks for 101 bytes, but rank 0 for 100");
        let (first, second) = (group.allocate::<u8>(10).unwrap(), group.allocate::<u8>(10).unwrap());
        let (mine, other) = if group.is_first() { (first, second) } else { (second, first) };
        refused(mine.free(), ResultCode::MISMATCH, "rank 1 names other memory in psMemFree");
        drop(other); // both stay until the group is freed
        group.barrier().unwrap();
    });
    let context = alone();
    let group = context.world().unwrap();
    refused(group.allocate::<u64>(usize::MAX / 4), ResultCode::ARGUMENT, "more than memory can hold");
}

#[test]
fn slices_are_registered() {
    world(3, |context| {
        let group = everybody(context);
        let mut own = vec![1.0f64; 5000 + group.rank() as usize];
        let mut registered = group.register(&mut own).unwrap();
        group.all_reduce(&mut registered[..5000], ReduceOp::SUM).unwrap();
        assert!(registered[..5000].iter().all(|&value| value == 3.0));
        registered.close().unwrap();
        own.push(4.0);

        drop(group.register(&mut own).unwrap()); // peers go on knowing where it was
        let mut other = vec![1.0f64; 5000];
        drop(own);
        group.all_reduce(&mut other, ReduceOp::SUM).unwrap();
        assert!(other.iter().all(|&value| value == 3.0));
        group.register::<i32>(&mut []).unwrap().close().unwrap();
    });
}

#[test]
fn it_outlives_its_group_and_its_context() {
    contexts(2, |context| {
        let group = everybody(&context);
        let mut memory = group.allocate::<i32>(3000).unwrap();
        let dropped = group.allocate::<i32>(10).unwrap();
        group.all_reduce(&mut memory, ReduceOp::SUM).unwrap();
        drop(dropped);
        group.close().unwrap();
        memory.fill(5);
        context.finalize().unwrap();
        memory[2999] += 1;
        assert_eq!((memory[0], memory[2999]), (5, 6));
        memory.free().unwrap(); // of a closed group: goes by itself
    });
}
