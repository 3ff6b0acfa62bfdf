"""The model-parallel lifecycle, with threads as ranks."""

import array
import os
import unittest
from unittest import mock

from support import alone, ps, run_world

SPEC = "sglang:tp=2,pp=2"


def total(group, value):
    """The sum of `value` over the group."""
    data = array.array("q", [value])
    group.all_reduce(data)
    return data[0]


def check_groups(context, layout):
    """Every name gives the group that the layout says, and it sums its ranks."""
    for name in layout:
        with context.group(name) as group:
            index, place = layout.group_of(name, context.rank)
            ranks = layout.group(name, index)
            assert group.global_ranks == tuple(ranks), (name, group.global_ranks, ranks)
            assert group.rank == place and group.name == layout.aliases.get(name, name), (name, group)
            assert total(group, context.rank + 1) == sum(rank + 1 for rank in ranks), name


class Lifecycle(unittest.TestCase):
    def test_groups_by_name_and_alias(self):
        def body(context):
            assert not context.is_model_parallel_initialized()
            context.init_model_parallel(SPEC)
            assert context.is_model_parallel_initialized()
            assert context.world_info().layout_spec == SPEC
            assert context.world_info().worker_suffix
            check_groups(context, ps.Layout(SPEC, 4))
            context.destroy_model_parallel()
            assert not context.is_model_parallel_initialized()
            assert context.world_info().layout_spec is None
            with self.assertRaisesRegex(ps.NotFoundError, "world"):
                context.group("tp")
            context.destroy_model_parallel()

        run_world(4, body)

    def test_of_the_environment(self):
        with mock.patch.dict(os.environ, {"PS_LAYOUT": "megatron:tp=1"}):
            with ps.init(0, 1, host_only=True, timeout=30, init_timeout=30) as context:
                context.init_model_parallel()
                self.assertEqual(context.world_info().layout_spec, "megatron:tp=1")
            with alone() as context, self.assertRaisesRegex(ps.ArgumentError, "PS_LAYOUT"):
                context.init_model_parallel()

    def test_a_second_is_refused_and_ensure_compares(self):
        def body(context):
            context.ensure_model_parallel(SPEC, timeout=20)
            with self.assertRaisesRegex(ps.StateError, f"^psInitModelParallel: .*'{SPEC}' exist already"):
                context.init_model_parallel(SPEC)
            context.ensure_model_parallel("sglang:pp=2,tp=*")
            context.ensure_model_parallel(ps.Layout(SPEC, 4))
            with self.assertRaisesRegex(ps.StateError, "tp=2 and tp=4"):
                context.ensure_model_parallel("sglang:tp=4")
            with context.group("tp") as group:
                assert group.info().timeout == 20
            check_groups(context, ps.Layout(SPEC, 4))

        run_world(4, body)

    def test_ranks_that_differ_are_named(self):
        def body(context):
            with self.assertRaisesRegex(ps.MismatchError, "rank 3 says .*tp=4.* rank 0 says .*tp=2.*") as caught:
                context.init_model_parallel("vllm:tp=4" if context.rank == 3 else "vllm:tp=2,pp=2")
            assert not context.is_model_parallel_initialized(), caught.exception
            total(context.world, 1)
            context.init_model_parallel(SPEC)
            check_groups(context, ps.Layout(SPEC, 4))

        run_world(4, body)

    def test_again_and_again(self):
        layouts = [ps.Layout(spec, 4) for spec in (SPEC, "sglang:tp=4,moe_ep=2", "grid:tp=2,dp=2")]

        def body(context):
            for round in range(20):
                with context.model_parallel(layouts[round % 3], warm_up=round % 2 == 0) as layout:
                    check_groups(context, layout)

        run_world(4, body)

    def test_a_block(self):
        def body(context):
            with context.model_parallel("vllm:tp=2,pp=*") as layout:
                assert (str(layout), layout.world_size) == ("vllm:tp=2", 2)
                group = context.group("tp")
            assert not context.is_model_parallel_initialized()
            # A reference of the caller's own lives on.
            assert total(group, 1) == 2
            group.close()
            with self.assertRaisesRegex(KeyError, "mine"):
                with context.model_parallel("vllm:tp=2"):
                    raise KeyError("mine")
            assert not context.is_model_parallel_initialized()
            with context.model_parallel("vllm:tp=2"):
                context.finalize()

        run_world(2, body)

    def test_refusals(self):
        with alone() as context:
            for spec, kind, text in (
                    (ps.Layout(SPEC, 4), ps.ArgumentError, "a world of 4 ranks, the context's world has 1"),
                    ("megatron:tp=3", ps.ArgumentError, "^psInitModelParallel: megatron: tp=3"),
                    (None, ps.ArgumentError, "PS_LAYOUT is not set"), (3, TypeError, "layout must be a str")):
                with self.subTest(spec), self.assertRaisesRegex(kind, text):
                    context.init_model_parallel(spec)
            with self.assertRaisesRegex(ps.ArgumentError, "nonsense"):
                context.init_model_parallel("vllm:tp=1", backend_options="tp:nonsense=1")
            with self.assertRaisesRegex(ps.ArgumentError, "timeout is 0"):
                context.init_model_parallel("vllm:tp=1", timeout=0)
            assert not context.is_model_parallel_initialized()
        for call in (context.is_model_parallel_initialized, context.destroy_model_parallel,
                     lambda: context.ensure_model_parallel("vllm:tp=1")):
            with self.assertRaisesRegex(ps.StateError, "finalized"):
                call()


if __name__ == "__main__":
    unittest.main()
