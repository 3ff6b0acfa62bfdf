//! The model-parallel lifecycle, with threads as ranks.

mod common;

use std::time::Duration;

use common::{alone, contexts, refused, world};
use parallelstate::{Context, Layout, ModelParallelOptions, ReduceOp, ResultCode};

const SPEC: &str = "sglang:tp=2,pp=2";

fn options() -> ModelParallelOptions {
    ModelParallelOptions::new()
}

/// Every name gives the group that the layout says, and it sums its ranks.
fn check_groups(context: &Context, layout: &Layout) {
    for each in layout.names() {
        let group = context.group(&each.name).unwrap();
        let place = layout.group_of(&each.name, context.rank()).unwrap();
        let ranks = layout.group(&each.name, place.group).unwrap();
        assert_eq!((group.global_ranks().unwrap(), group.rank()), (ranks.clone(), place.rank), "{each:?}");
        assert_eq!(group.name(), each.alias_of.as_ref().unwrap_or(&each.name));
        let mut sum = [context.rank() + 1];
        group.all_reduce(&mut sum, ReduceOp::SUM).unwrap();
        assert_eq!(sum[0], ranks.iter().map(|rank| rank + 1).sum::<i32>(), "{each:?}");
    }
}

#[test]
fn groups_by_name_and_alias() {
    let layout = Layout::new(SPEC, 4).unwrap();
    world(4, |context| {
        assert_eq!(context.is_model_parallel_initialized(), Ok(false));
        context.init_model_parallel(&layout, &options()).unwrap();
        assert_eq!(context.is_model_parallel_initialized(), Ok(true));
        assert_eq!(context.world_info().unwrap().layout_spec.as_deref(), Some(SPEC));
        check_groups(context, &layout);
        let kept = context.group("tp").unwrap();
        context.destroy_model_parallel().unwrap();
        context.destroy_model_parallel().unwrap();
        assert_eq!(context.is_model_parallel_initialized(), Ok(false));
        refused(context.group("tp"), ResultCode::NOT_FOUND, "world");
        let mut sum = [1];
        kept.all_reduce(&mut sum, ReduceOp::SUM).unwrap();
        assert_eq!(sum, [2]);
    });
}

#[test]
fn a_second_is_refused_and_ensure_compares() {
    let layout = Layout::new(SPEC, 4).unwrap();
    world(4, |context| {
        let timeout = Duration::from_secs(20);
        context.ensure_model_parallel(SPEC, &options().timeout(timeout)).unwrap();
        refused(context.init_model_parallel(SPEC, &options()), ResultCode::STATE, "exist already");
        context.ensure_model_parallel("sglang:pp=2,tp=*", &options()).unwrap();
        context.ensure_model_parallel(&layout, &options()).unwrap();
        refused(context.ensure_model_parallel("sglang:tp=4", &options()), ResultCode::STATE, "tp=2 and tp=4");
        assert_eq!(context.group("tp").unwrap().info().unwrap().timeout, timeout);
        check_groups(context, &layout);
    });
}

#[test]
fn ranks_that_differ_are_named() {
    let layout = Layout::new(SPEC, 4).unwrap();
    world(4, |context| {
        let spec = if context.rank() == 3 { "vllm:tp=4" } else { "vllm:tp=2,pp=2" };
        let error = context.init_model_parallel(&spec.to_owned(), &options()).unwrap_err();
        assert!(error.is_mismatch(), "{error}");
        for part in ["rank 3 says", "rank 0 says", "tp=4", "tp=2"] {
            assert!(error.message().contains(part), "{error}");
        }
        assert_eq!(context.is_model_parallel_initialized(), Ok(false));
        context.init_model_parallel(&layout, &options()).unwrap();
        check_groups(context, &layout);
    });
}

#[test]
fn again_and_again() {
    let layouts = [SPEC, "sglang:tp=4,moe_ep=2", "grid:tp=2,dp=2"].map(|spec| Layout::new(spec, 4).unwrap());
    world(4, |context| {
        for round in 0..20 {
            let layout = &layouts[round % 3];
            context.init_model_parallel(layout, &options().warm_up(round % 2 == 0)).unwrap();
            check_groups(context, layout);
            context.destroy_model_parallel().unwrap();
        }
    });
}

#[test]
fn what_is_refused() {
    let context = alone();
    let layout = Layout::new(SPEC, 4).unwrap();
    let init = |spec: &str, options| context.init_model_parallel(spec, &options);
    refused(
        context.init_model_parallel(&layout, &options()),
        ResultCode::ARGUMENT,
        "is of a world of 4 ranks, the context's world has 1",
    );
    refused(init("megatron:tp=3", options()), ResultCode::ARGUMENT, "megatron: tp=3");
    refused(init("vllm:tp=1", options().backend_options("tp:nonsense=1")), ResultCode::ARGUMENT, "nonsense");
    refused(init("vllm:tp=1", options().timeout(Duration::ZERO)), ResultCode::ARGUMENT, "timeout is zero");
    refused(init("vllm:tp=\0", options()), ResultCode::ARGUMENT, "NUL");
    assert_eq!(context.is_model_parallel_initialized(), Ok(false));
}

#[test]
fn a_context_may_end_with_its_layout() {
    contexts(2, |context| {
        context.init_model_parallel("vllm:tp=2", &options()).unwrap();
        let group = context.group("tp").unwrap();
        context.finalize().unwrap();
        refused(group.barrier(), ResultCode::STATE, "finalize");
    });
}
