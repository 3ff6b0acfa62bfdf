//! Layouts as data. That every golden layout is the same here as in the other languages, the example `layouts` shows.

mod common;

use std::collections::HashSet;

use common::refused;
use parallelstate::{pipeline_layers, shard_range, Layout, ResultCode};

const ARGUMENT: ResultCode = ResultCode::ARGUMENT;

#[test]
fn groups_of_a_preset() {
    let layout = Layout::new("sglang:tp=2,pp=*", 4).unwrap();
    assert_eq!((layout.spec(), layout.world_size()), ("sglang:tp=2,pp=2", 4));
    assert_eq!(layout.groups("tp").unwrap(), [[0, 1], [2, 3]]);
    assert_eq!(layout.groups("pp").unwrap(), [[0, 2], [1, 3]]);
    assert_eq!((layout.group_count("pp").unwrap(), layout.group("pp", 1).unwrap()), (2, vec![1, 3]));
    let place = layout.group_of("pp", 3).unwrap();
    assert_eq!((place.group, place.rank), (1, 1));
    assert_eq!((layout.coordinate("tp", 3).unwrap(), layout.coordinate("pp", 1).unwrap()), (1, 0));
    let alias_of = |name: &str| layout.names().iter().find(|each| each.name == name).unwrap().alias_of.clone();
    assert_eq!((alias_of("tp"), alias_of("attn_tp").as_deref()), (None, Some("tp")));
    assert_eq!((&*layout.axes()[0].name, layout.axes()[0].size), ("tp", 2));
}

#[test]
fn views_share_axes_and_axes_are_merged() {
    let layout = Layout::new("grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2", 32).unwrap();
    assert_eq!(layout.group("ep", 0).unwrap(), [0, 2, 4, 6, 8, 10, 12, 14]);
    assert_eq!(layout.group("tp-dp", 1).unwrap(), (16..32).collect::<Vec<_>>());
    assert_eq!(layout.coordinate("expert.ep", 5).unwrap(), 2);
}

#[test]
fn a_value() {
    let layout = Layout::new("vllm:tp=4", 8).unwrap();
    let same = Layout::new("vllm:tp=4,pp=1", 8).unwrap();
    assert_eq!((&layout, layout.hash(), layout.to_string()), (&same, same.hash(), same.to_string()));
    assert_eq!(format!("{layout:?}"), "Layout(\"vllm:tp=4\", world of 8)");
    let other = Layout::new("vllm:tp=2", 8).unwrap();
    let distinct: HashSet<_> = [layout.clone(), same.clone(), other.clone()].into_iter().collect();
    assert_eq!(distinct.len(), 2);
    assert!(layout.describe().unwrap().contains(&format!("\"hash\":\"{:016x}\"", layout.hash())));
    assert_eq!(layout.diff(&same).unwrap(), "{\"equal\":true}");
    assert!(layout.diff(&other).unwrap().contains("\"values\":[\"4\",\"2\"]"));
}

#[test]
fn threads_share_it() {
    fn send_and_sync<T: Send + Sync>() {}
    send_and_sync::<Layout>();
    let layout = Layout::new("grid:a=8,b=8", 64).unwrap();
    std::thread::scope(|threads| {
        for rank in 0..4 {
            let layout = layout.clone();
            threads.spawn(move || {
                for rank in (rank..64).step_by(4) {
                    assert_eq!(layout.group_of("a", rank).unwrap().group as i32, layout.coordinate("b", rank).unwrap());
                }
            });
        }
    });
}

#[test]
fn what_is_refused() {
    let new = |spec| Layout::new(spec, 8);
    refused(new("megatron:tp=3"), ARGUMENT, "tp=3 does not divide world 8 (8 = 3 x 2 + 2); try tp=1, 2, 4 or 8");
    refused(new("nonsense:tp=2"), ARGUMENT, "unknown preset 'nonsense'");
    refused(new("vllm:tp=2,tp=2"), ARGUMENT, "at position");
    refused(new("vllm:tp=\0"), ARGUMENT, "contains a NUL character");
    refused(Layout::new("grid:a=2", 0), ARGUMENT, "at least 1 rank");
    let layout = Layout::new("mesh:dp=2,tp=2,rank_offset=1", 5).unwrap();
    refused(layout.groups("ep"), ResultCode::NOT_FOUND, "no groups 'ep'");
    refused(layout.group("tp", 2), ARGUMENT, "group 2 of 2");
    refused(layout.group_of("tp", 0), ResultCode::NOT_FOUND, "rank 0 is in no");
    refused(layout.group_of("tp", 5), ARGUMENT, "rank 5");
    refused(layout.coordinate("ep", 1), ResultCode::NOT_FOUND, "no axis 'ep'");
}

#[test]
fn layers_and_shards() {
    assert_eq!(pipeline_layers("sglang", 10, 4, None).unwrap(), [0..2, 2..4, 4..7, 7..10]);
    assert_eq!(pipeline_layers("vllm", 10, 4, None).unwrap(), [0..2, 2..5, 5..8, 8..10]);
    assert_eq!(pipeline_layers("vllm", 10, 2, Some(&[7, 3])).unwrap(), [0..7, 7..10]);
    refused(pipeline_layers("vllm", 10, 2, Some(&[7, 2])), ARGUMENT, "7+2 has 9 layers, 1 fewer");
    refused(pipeline_layers("vllm", 10, 2, Some(&[10])), ARGUMENT, "1 shares; there are 2 stages");
    refused(pipeline_layers("vllm", 10, -1, None), ARGUMENT, "-1 stages");
    refused(pipeline_layers("even", 10, 2, None), ARGUMENT, "sglang and vllm");
    assert_eq!(shard_range(12, 4, 3).unwrap(), 9..12);
    refused(shard_range(12, 5, 0), ARGUMENT, "5 shards do not divide 12 (12 = 5 x 2 + 2)");
}
