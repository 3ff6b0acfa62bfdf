"""Layouts as data: every golden case, the value that a Layout is, refusals with their texts."""

import copy
import gc
import json
import pickle
import unittest
from pathlib import Path

from support import ps

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"


def golden(name):
    return json.loads((GOLDEN / name).read_text())


class Golden(unittest.TestCase):
    def test_layouts(self):
        cases = golden("layouts.json")
        self.assertGreater(len(cases), 150)
        for case in cases:
            with self.subTest(spec=case["spec"], world=case["world"]):
                if "error" in case:
                    with self.assertRaisesRegex(ps.ArgumentError, "^psLayoutCreate: "):
                        ps.Layout(case["spec"], case["world"])
                else:
                    self.check(case, ps.Layout(case["spec"], case["world"]))

    def check(self, case, layout):
        for name, groups in case["groups"].items():
            self.assertEqual(layout[name], groups, name)
            for index, ranks in enumerate(groups):
                for place, rank in enumerate(ranks):
                    self.assertEqual(layout.group_of(name, rank), (index, place))
        if "aliases" in case:
            self.assertEqual(layout.aliases, case["aliases"])
        if "attn_dp_peers" in case:
            self.assertEqual(layout["attn_dp"], case["attn_dp_peers"])
        for coordinates in case.get("coordinates", []):
            rank = coordinates.pop("rank")
            self.assertEqual({f"{axis}_rank": layout.coordinate(axis, rank) for axis in
                              (key[:-len("_rank")] for key in coordinates)}, coordinates)
        described = layout.describe()
        self.assertEqual(described["groups"], dict(layout))
        self.assertEqual(described["hash"], f"{layout.hash:016x}")
        self.assertEqual({axis["name"]: axis["size"] for axis in described["axes"]}, layout.axes)
        # Printing and parsing agree.
        again = ps.Layout(layout.spec, layout.world_size)
        self.assertEqual((again.spec, again.hash), (layout.spec, layout.hash))

    def test_pipeline_layers(self):
        cases = golden("pipeline_layers.json")
        self.assertGreater(len(cases), 40)
        for case in cases:
            with self.subTest(case):
                found = ps.pipeline_layers(case["rule"], case["layers"], case["pp"], case["partition"])
                self.assertEqual([[stage.start, stage.stop] for stage in found], case["ranges"])


class Value(unittest.TestCase):
    def test_mapping(self):
        layout = ps.Layout("sglang:tp=2,pp=*", 4)
        self.assertEqual((str(layout), layout.world_size), ("sglang:tp=2,pp=2", 4))
        self.assertEqual(repr(layout), "parallelstate.Layout('sglang:tp=2,pp=2', 4)")
        self.assertEqual(layout["tp"], [[0, 1], [2, 3]])
        self.assertEqual(layout.group("pp", 1), [1, 3])
        self.assertEqual(layout.group_of("pp", 3), ps.Place(group=1, rank=1))
        self.assertEqual((layout.coordinate("tp", 3), layout.coordinate("pp", 1)), (1, 0))
        self.assertEqual(tuple(layout), layout.names)
        self.assertEqual(len(layout), len(dict(layout)))
        self.assertEqual(layout.aliases["attn_tp"], "tp")
        self.assertEqual((layout.axes["tp"], layout.axes["pp"]), (2, 2))
        self.assertTrue("tp" in layout and "tp-pp" in layout)
        self.assertFalse("dp" in layout or 3 in layout)

    def test_views_and_merged_axes(self):
        layout = ps.Layout("grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2", 32)
        self.assertEqual(layout.group_count("tp-dp"), 2)
        self.assertEqual(layout.group("ep", 0), list(range(0, 16, 2)))
        self.assertEqual(layout.coordinate("expert.ep", 5), 2)
        self.assertEqual(layout.axes["expert.ep"], 8)

    def test_equality(self):
        layout = ps.Layout("vllm:tp=4", 8)
        for same in (ps.Layout("vllm:tp=4,pp=1", 8), copy.deepcopy(layout), pickle.loads(pickle.dumps(layout))):
            self.assertEqual((same, hash(same), same.hash), (layout, hash(layout), layout.hash))
            self.assertEqual(layout.diff(same), {"equal": True})
        self.assertEqual(len({layout, ps.Layout("vllm:tp=4", 4), ps.Layout("vllm:tp=2", 8), layout}), 3)
        self.assertNotEqual(layout, "vllm:tp=4")

    def test_difference(self):
        found = ps.Layout("vllm:tp=4", 4).diff(ps.Layout("vllm:tp=2,pp=2", 4))
        self.assertFalse(found["equal"])
        self.assertIn({"key": "tp", "values": ["4", "2"]}, found["keys"])
        self.assertEqual(found["groups"]["tp"]["sizes"], [4, 2])

    def test_a_forgotten_layout_is_freed(self):
        from parallelstate import _handles
        layout = ps.Layout("grid:a=2", 2)
        dropped = layout._handle
        del layout
        gc.collect()
        self.assertIn(("psLayoutFree", dropped, None), _handles._dropped)
        kept = ps.Layout("grid:a=2", 2)  # whose handle may be the same
        self.assertNotIn(("psLayoutFree", dropped, None), _handles._dropped, kept)


class Refusals(unittest.TestCase):
    def refused(self, kind, text, call, *arguments):
        with self.assertRaises(kind) as caught:
            call(*arguments)
        self.assertIn(text, str(caught.exception))

    def test_specs(self):
        for spec, world, text in (
                ("megatron:tp=3", 8, "tp=3 does not divide world 8 (8 = 3 x 2 + 2); try tp=1, 2, 4 or 8"),
                ("vllm:tp=2,tp=2", 4, "at position"), ("nonsense:tp=2", 2, "unknown preset 'nonsense'"),
                ("grid:a=2", 0, "at least 1 rank"), ("grid:a=*,b=*", 4, "*"), ("grid:a=\0", 4, "NUL"),
                ("grid:a=" + "1" * 5000, 4, "psLayoutCreate")):
            with self.subTest(spec[:40]):
                self.refused(ps.ArgumentError, text, ps.Layout, spec, world)
        self.refused(TypeError, "spec", ps.Layout, None, 4)
        self.refused(TypeError, "world_size", ps.Layout, "grid:a=2", "2")
        self.refused(ps.ArgumentError, "world_size", ps.Layout, "grid:a=2", 1 << 40)

    def test_names_ranks_and_indices(self):
        layout = ps.Layout("mesh:dp=2,tp=2,rank_offset=1", 5)
        self.refused(ps.NotFoundError, f"there are {', '.join(layout)}", layout.groups, "ep")
        self.refused(LookupError, "no groups 'ep'", lambda: layout["ep"])
        self.refused(ps.ArgumentError, "group 2 of 2", layout.group, "tp", 2)
        self.refused(ps.ArgumentError, "index is -1", layout.group, "tp", -1)
        self.refused(ps.NotFoundError, "rank 0 is in no", layout.group_of, "tp", 0)
        self.refused(ps.ArgumentError, "rank 5", layout.group_of, "tp", 5)
        self.refused(ps.NotFoundError, "no axis 'ep'", layout.coordinate, "ep", 1)
        self.refused(TypeError, "name must be a str", layout.group_count, None)
        self.refused(TypeError, "other must be a Layout", layout.diff, "mesh:dp=2")

    def test_layers_and_shards(self):
        self.refused(ps.ArgumentError, "10+20+20 has 50 layers, 10 fewer than the model's 60", ps.pipeline_layers,
                     "sglang", 60, 3, [10, 20, 20])
        self.refused(ps.ArgumentError, "2 shares; there are 3 stages", ps.pipeline_layers, "sglang", 60, 3, [30, 30])
        self.refused(ps.ArgumentError, "0 stages", ps.pipeline_layers, "vllm", 60, 0)
        self.refused(ps.ArgumentError, "-2 stages", ps.pipeline_layers, "vllm", 60, -2)
        self.refused(ps.ArgumentError, "sglang and vllm", ps.pipeline_layers, "even", 60, 2)
        self.assertEqual(ps.shard_range(12, 4, 3), range(9, 12))
        self.refused(ps.ArgumentError, "5 shards do not divide 12 (12 = 5 x 2 + 2)", ps.shard_range, 12, 5, 0)
        self.refused(ps.ArgumentError, "shard 4", ps.shard_range, 12, 4, 4)


if __name__ == "__main__":
    unittest.main()
