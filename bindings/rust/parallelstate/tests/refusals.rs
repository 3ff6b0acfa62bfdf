//! What is refused before anything is sent: the group is unharmed, the call took no place in the order.

mod common;

use std::time::Duration;

use common::{alone, config, refused, world};
use parallelstate::{Blocks, Context, GroupOptions, ReduceOp, ResultCode};

const ARGUMENT: ResultCode = ResultCode::ARGUMENT;

#[test]
fn lengths_are_compared_first() {
    world(2, |context| {
        let group = context.world().unwrap();
        let (own, other) = (group.rank(), 1 - group.rank());
        let one = [1];
        let three = &mut [1, 2, 3][..];
        let counts = |counts| Blocks::packed(counts);
        refused(
            group.all_reduce_into(&one, three, ReduceOp::SUM),
            ARGUMENT,
            "all_reduce_into: recv has 3 elements and needs 1, as many as send",
        );
        refused(group.reduce_into(&one, three, ReduceOp::SUM, own), ARGUMENT, "reduce_into: recv at the root has 3");
        refused(group.broadcast_into(&one, three, own), ARGUMENT, "broadcast_into: send at the root has 1");
        refused(
            group.all_gather_into(&one, three),
            ARGUMENT,
            "recv has 3 elements and needs 2, a block as long as send for each of 2 ranks",
        );
        refused(group.all_gather(three), ARGUMENT, "all_gather: data has 3 elements, which is not 2 equal blocks");
        refused(group.gather_into(&one, three, own), ARGUMENT, "gather_into: recv at the root has 3");
        refused(group.gather(three, own), ARGUMENT, "gather: data at the root has 3 elements, which is not 2");
        refused(group.scatter_into(&one, three, own), ARGUMENT, "send at the root has 1 elements and needs 6");
        refused(group.reduce_scatter_into(&one, three, ReduceOp::SUM), ARGUMENT, "send has 1 elements and needs 6");
        refused(group.reduce_scatter(three, ReduceOp::SUM), ARGUMENT, "not 2 equal blocks");
        refused(group.all_to_all(three), ARGUMENT, "not 2 equal blocks");
        refused(
            group.all_gather_v_into(&one, three, counts(&[2, 2])),
            ARGUMENT,
            "recv has 3 elements, and its blocks end at 4",
        );
        refused(
            group.gather_v_into(&one, three, Blocks::none(), own),
            ARGUMENT,
            "the blocks of recv at the root have 0 counts",
        );
        refused(group.scatter_v(three, Blocks::at(&[1, 1], &[0, 3]), own), ARGUMENT, "end at 4");
        refused(
            group.reduce_scatter_v_into(&[1, 2], three, &[1, 1], ReduceOp::SUM),
            ARGUMENT,
            "recv has 3 elements and needs 1, as many as this rank's count",
        );
        refused(group.all_to_all_v_into(&one, three, counts(&[1, 0]), counts(&[4, 0])), ARGUMENT, "recv has 3");
        refused(group.all_reduce_into_async(vec![1], vec![], ReduceOp::SUM), ARGUMENT, "recv has 0");
        let mut empty: [i32; 0] = [];
        refused(
            group.scope(|s| s.all_reduce_into(&one, &mut empty, ReduceOp::SUM).map(drop)),
            ARGUMENT,
            "recv has 0 elements",
        );
        // The library's own: the root, the peer, the tag, the type.
        refused(group.broadcast(three, 2), ARGUMENT, "root 2");
        refused(group.send(three, 5, 0), ARGUMENT, "5");
        refused(group.send(three, other, -1), ARGUMENT, "tag");
        refused(group.all_reduce(&mut [1.0f32], ReduceOp::BIT_AND), ResultCode::UNSUPPORTED, "float32");

        let mut data = [1];
        group.all_reduce(&mut data, ReduceOp::SUM).unwrap();
        assert_eq!(data, [2]);
    });
}

#[test]
fn empty_buffers_are_legal() {
    world(2, |context| {
        let group = context.world().unwrap();
        let mut none: [f32; 0] = [];
        group.all_reduce(&mut none, ReduceOp::SUM).unwrap();
        group.all_gather(&mut none).unwrap();
        group.scatter(&mut none, 0).unwrap();
        group.send_recv(&[0u8; 0], &mut none.map(|_| 0u8), group.next(), group.prev(), 0).unwrap();
        assert!(group.all_to_all_async(Vec::<u64>::new()).unwrap().wait().unwrap().is_empty());
    });
}

#[test]
fn texts_times_and_options() {
    refused(Context::init(&config().rank(0, 1).job("a\0b")), ARGUMENT, "job \"a\\0b\" contains a NUL character");
    refused(Context::init(&config().rank(0, 1).timeout(Duration::ZERO)), ARGUMENT, "timeout is zero");
    refused(Context::init(&config().rank(3, 2)), ARGUMENT, "3");
    let context = alone();
    let group = context.world().unwrap();
    refused(group.set_timeout(Some(Duration::ZERO)), ARGUMENT, "timeout is zero");
    refused(group.abort("a\0b"), ARGUMENT, "reason");
    refused(context.new_group(&[0], &GroupOptions::named("x".repeat(64))), ARGUMENT, "63");
    refused(context.new_group(&[0, 0], &GroupOptions::new()), ARGUMENT, "2 members in a world of 1");
    refused(context.new_group(&[], &GroupOptions::new()), ARGUMENT, "psNewGroup");
    refused(context.new_group(&[0], &GroupOptions::new().backend_options("nonsense=1")), ARGUMENT, "nonsense");
    let secret = config().secret("hidden").rank(0, 1);
    assert!(!format!("{secret:?}").contains("hidden"));
}
