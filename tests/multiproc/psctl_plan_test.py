"""`psctl plan`: the golden layouts as JSON, tables as they are printed, pictures, and refusals.

    psctl_plan_test.py PATH_OF_PSCTL GOLDEN_LAYOUTS DOCUMENT [unittest arguments]

The document's blocks that begin with "$ psctl plan" must show what the command prints.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import unittest
import xml.etree.ElementTree

PSCTL = ""
GOLDEN = []
DOCUMENT = ""
LIMIT_S = 60
SVG = "{http://www.w3.org/2000/svg}"


def run(arguments, width=100):
    environment = dict(os.environ, COLUMNS=str(width))
    return subprocess.run([PSCTL, "plan", *arguments], capture_output=True, text=True, env=environment,
                          stdin=subprocess.DEVNULL, timeout=LIMIT_S)


def plan(world, spec, *options, width=100):
    """What is printed; it must be a success with nothing on stderr."""
    done = run(["--world", str(world), "--layout", spec, *options], width)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{spec} {options}: exit code {done.returncode}, {done.stderr}")
    return done.stdout


def plan_json(world, spec, *options):
    return json.loads(plan(world, spec, "--format", "json", *options))


class JsonTest(unittest.TestCase):
    maxDiff = None

    def test_golden_layouts(self):
        for case in GOLDEN:
            if "error" in case:
                continue
            with self.subTest(spec=case["spec"], world=case["world"]):
                found = plan_json(case["world"], case["spec"])
                self.assertEqual(found["world"], case["world"])
                for name, groups in case["groups"].items():
                    if name not in found["groups"]:  # axes merged
                        merged = plan_json(case["world"], case["spec"], "--group", name)["groups"]
                        self.assertEqual(list(merged), [name])
                        found["groups"].update(merged)
                    self.assertEqual(found["groups"][name], groups, name)
                if "aliases" in case:
                    self.assertEqual(found["aliases"], case["aliases"])
                if "attn_dp_peers" in case:
                    self.assertEqual(found["groups"]["attn_dp"], case["attn_dp_peers"])
                self.assertEqual(set(found["summary"]["names"]) - set(found["groups"]), set())

    def test_golden_refusals(self):
        refused = [case for case in GOLDEN if "error" in case]
        self.assertGreater(len(refused), 10)
        for case in refused:
            with self.subTest(spec=case["spec"], world=case["world"]):
                for form in ("table", "json", "svg", "html"):
                    done = run(["--world", str(case["world"]), "--layout", case["spec"], "--format", form])
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(done.stdout, "")
                    self.assertRegex(done.stderr, r"^psctl plan: [^\n]{20,}\n$")

    def test_canonical_spec_and_hash(self):
        one = plan_json(16, "sglang:pp=2,tp=8")
        self.assertEqual(one["spec"], "sglang:tp=8,pp=2")
        self.assertRegex(one["hash"], "^[0-9a-f]{16}$")
        self.assertEqual(one["hash"], plan_json(16, one["spec"])["hash"])
        self.assertIn({"name": "pp", "size": 2}, one["axes"])

    def test_summary_counts_what_a_communicator_each_would_cost(self):
        summary = plan_json(1024, "megatron:tp=8,pp=8,ep=8", "--hosts", "8")["summary"]
        self.assertEqual(summary["communicators_per_rank"], 11)
        self.assertEqual((summary["gpus_per_host"], summary["hosts"]), (8, 128))
        self.assertEqual(summary["names"]["tp"], {"groups": 128, "size": 8, "crossing_hosts": 0})
        self.assertEqual(summary["names"]["dp"], {"groups": 64, "size": 16, "crossing_hosts": 64})
        self.assertEqual(plan_json(8, "megatron:tp=2,pp=2")["summary"]["communicators_per_rank"], 6)
        self.assertNotIn("crossing_hosts", plan_json(8, "megatron:tp=2")["summary"]["names"]["tp"])

    def test_summary_against_the_groups_themselves(self):
        for world, spec, hosts in ((24, "sglang:tp=12,pp=2,moe_ep=6,attn_cp=2,attn_dp=3,dcp=3", 8),
                                   (16, "vllm:tp=2,pp=2,pcp=2,dcp=4,dp=2", 4),
                                   (16, "megatron:tp=2,pp=2,rank_offset=8", 3),
                                   (4, "sglang:tp=4,moe_ep=2,attn_cp=4", 4), (1, "grid:tp=1", 8)):
            with self.subTest(spec=spec):
                found = plan_json(world, spec, "--hosts", str(hosts))
                own = {name: groups for name, groups in found["groups"].items() if name not in found["aliases"]}
                lists = [[tuple(group) for groups in own.values() for group in groups if rank in group]
                         for rank in range(world)]
                wide = [{group for group in of_rank if len(group) > 1} for of_rank in lists]
                summary = found["summary"]
                self.assertEqual(summary["groups_per_rank"], max(map(len, lists)))
                self.assertEqual(summary["communicators_per_rank"], max(map(len, wide)))
                self.assertEqual(summary["communicators"], len(set().union(*wide)))
                self.assertEqual(summary["torch_new_group_calls_per_rank"], sum(map(len, own.values())))
                for name, groups in found["groups"].items():
                    crossing = sum(len({rank // hosts for rank in group}) > 1 for group in groups)
                    self.assertEqual(summary["names"][name],
                                     {"groups": len(groups), "size": len(groups[0]), "crossing_hosts": crossing})

    def test_group_limits_groups(self):
        found = plan_json(8, "grid:tp=2,cp=2,dp=2", "--group", "tp-dp", "--hosts", "4")
        self.assertEqual(found["groups"], {"tp-dp": [[0, 1, 4, 5], [2, 3, 6, 7]]})
        self.assertEqual(found["summary"]["names"], {"tp-dp": {"groups": 2, "size": 4, "crossing_hosts": 2}})
        self.assertEqual(found["summary"]["communicators_per_rank"], 3)  # of the layout's own names
        self.assertEqual(list(plan_json(8, "megatron:tp=2", "--group", "intra_dp_cp")["groups"]), ["intra_dp_cp"])

    def test_rank(self):
        found = plan_json(16, "sglang:tp=8,pp=2", "--rank", "11", "--hosts", "8")
        self.assertEqual((found["rank"], found["host"]), (11, 1))
        self.assertEqual(found["coordinates"]["pp"], 1)
        self.assertEqual(found["coordinates"]["attention.attn_tp"], 3)
        self.assertEqual(found["groups"]["tp"], {"index": 1, "rank": 3, "ranks": list(range(8, 16))})
        self.assertEqual(found["groups"]["pp"], {"index": 3, "rank": 1, "ranks": [3, 11]})
        one = plan_json(16, "sglang:tp=8,pp=2", "--rank", "11", "--group", "pp")
        self.assertEqual(list(one["groups"]), ["pp"])
        self.assertEqual(plan_json(8, "grid:tp=2,dp=2,rank_offset=4", "--rank", "0")["groups"], {})

    def test_rank_of_a_million(self):
        found = plan_json(1048576, "megatron:tp=8,pp=16,ep=8", "--rank", "777777", "--group", "tp")
        self.assertEqual(found["groups"]["tp"]["ranks"], list(range(777776, 777784)))

    def test_diff(self):
        found = plan_json(16, "sglang:tp=8,pp=2", "--diff", "sglang:tp=4,pp=4")
        self.assertFalse(found["equal"])
        self.assertEqual(found["keys"][0], {"key": "tp", "values": ["8", "4"]})
        self.assertEqual(plan_json(16, "sglang:tp=8,pp=2", "--diff", "sglang:pp=2,tp=8"), {"equal": True})


class TableTest(unittest.TestCase):
    maxDiff = None

    def test_document_shows_what_is_printed(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            blocks = re.findall(r"^```\n\$ psctl (plan [^\n]*)\n(.*?)^```$", file.read(), re.M | re.S)
        self.assertGreater(len(blocks), 4)
        for command, text in blocks:
            with self.subTest(command=command):
                done = run(shlex.split(command)[1:])
                self.assertEqual(done.stdout + done.stderr, text)

    def test_names_of_eight_ranks(self):
        self.assertEqual(plan(8, "grid:tp=2,cp=2,dp=2"), """\
grid:tp=2,cp=2,dp=2
8 ranks, hash 309452ca9db5cebd
axes tp=2 cp=2 dp=2

  name  groups  size  members
  tp         4     2  [0,1] [2,3] [4,5] [6,7]
  cp         4     2  [0,2] [1,3] [4,6] [5,7]
  dp         4     2  [0,4] [1,5] [2,6] [3,7]

A rank is in up to 3 groups and needs 3 communicators: equal member lists share one, a group of one
rank needs none. The world has 12 in all.
PyTorch's way, one new_group for each group, is 12 calls on every rank, members or not.
""")

    def test_every_way_of_folding(self):
        text = plan(1024, "megatron:tp=8,pp=8,ep=8", "--hosts", "8")
        for expected in ("[0..7] [8..15]", "... 120 more groups", "[0,128,..,896]", "[0..7,128..135,..,896..903]",
                         "alias of dp_cp", "same members as tp", "each rank alone"):
            self.assertIn(expected, text)
        self.assertIn("[0,1,4,5,2,3,6,7]", plan(8, "megatron:tp=2,pp=2"))
        self.assertIn("[0,2,4,6]", plan(8, "grid:tp=2,dp=4"))

    def test_width_is_kept(self):
        many_axes = "grid:" + ",".join(f"axis{i}=1" for i in range(40))
        for world, spec in ((8, "megatron:tp=2,pp=2"), (64, "sglang:tp=64,moe_ep=16,moe_dp=4,attn_cp=4"),
                            (1024, "megatron:tp=8,pp=8,ep=8"), (64, many_axes + ",dp=64")):
            for options in (("--hosts", "8"), ("--rank", "5"), ("--diff", "grid:dp=*")):
                for width in (80, 120, 200):
                    for line in plan(world, spec, *options, width=width).splitlines():
                        self.assertLessEqual(len(line), width, f"{spec} {options} at {width}: {line}")

    def test_all_groups_of_a_name(self):
        lines = plan(64, "sglang:tp=64,moe_ep=16,moe_dp=4,attn_cp=4", "--group", "attn_cp", "--hosts", "8").splitlines()
        self.assertIn("attn_cp: 16 groups of 4, 16 across hosts", lines)
        self.assertIn("     #7  0,2,4,6  [7,23,39,55]", lines)
        self.assertEqual(sum(line.lstrip().startswith("#") for line in lines), 16)

    def test_rank(self):
        self.assertEqual(plan(8, "grid:tp=2,dp=2,rank_offset=4", "--rank", "6", "--hosts", "4"), """\
grid:tp=2,dp=2,rank_offset=4
rank 6 of 8, GPU 2 of host 1
coordinates tp=0 dp=1

  name  group  of  place  of  members
  tp       #1   2      0   2  [6,7]
  dp       #0   2      1   2  [4,6]
""")
        self.assertIn("below rank_offset", plan(8, "grid:tp=2,dp=2,rank_offset=4", "--rank", "3"))

    def test_rank_in_no_group_of_a_name(self):
        text = plan(8, "megatron:tp=2,pp=2", "--rank", "7", "--group", "pos_embd")
        self.assertIn("in no group", text)
        self.assertIn("coordinates tp=1 dp=1 pp=1", text)

    def test_diff(self):
        self.assertEqual(plan(8, "grid:tp=2,dp=4", "--diff", "grid:tp=4,pp=2"), """\
first   grid:tp=2,dp=4
second  grid:tp=4,pp=2
8 ranks

  key  first  second
  tp   2      4
  dp   4      -
  pp   -      2

  name  groups  size    first group that differs
  tp    4 -> 2  2 -> 4  #0 [0,1] -> [0..3]
  dp                    only in the first
  pp                    only in the second
""")
        self.assertIn("No difference", plan(16, "sglang:tp=8,pp=2", "--diff", "sglang:pp=2,tp=8"))


class PictureTest(unittest.TestCase):
    CASES = ((16, "sglang:tp=8,pp=2", ("--hosts", "8")),
             (64, "sglang:tp=64,moe_ep=16,moe_dp=4,attn_cp=4", ("--hosts", "8", "--group", "attn_cp", "--rank", "18")),
             (1024, "megatron:tp=8,pp=8,ep=8", ("--hosts", "8")), (8, "grid:tp=2,cp=2,dp=2", ("--group", "tp-dp")),
             (10, "grid:tp=3,dp=2,rank_offset=4", ("--hosts", "4")), (4096, "grid:tp=4096", ("--hosts", "8")))

    def test_svg(self):
        for world, spec, options in self.CASES:
            with self.subTest(spec=spec):
                root = xml.etree.ElementTree.fromstring(plan(world, spec, "--format", "svg", *options))
                self.assertEqual(root.tag, SVG + "svg")
                width, height = float(root.get("width")), float(root.get("height"))
                self.assertEqual(len([g for g in root.iter(SVG + "g") if g.find(SVG + "title") is not None]), world)
                for cell in root.iter(SVG + "rect"):
                    self.assertLessEqual(float(cell.get("x", 0)) + float(cell.get("width")), width)
                    self.assertLessEqual(float(cell.get("y", 0)) + float(cell.get("height")), height)
                ids = {pattern.get("id") for pattern in root.iter(SVG + "pattern")}
                fills = {rect.get("fill") for rect in root.iter(SVG + "rect")}
                used = {fill[5:-1] for fill in fills if fill.startswith("url")}
                self.assertEqual(ids, used)

    def test_document_shows_what_is_drawn(self):
        for name, world, spec in (("sglang_16_ranks", 16, "sglang:tp=8,pp=2"),
                                  ("sglang_moe_64_ranks", 64, "sglang:tp=64,moe_ep=16,moe_dp=4,attn_cp=4")):
            path = os.path.join(os.path.dirname(DOCUMENT), "images", name + ".svg")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), plan(world, spec, "--format", "svg", "--hosts", "8"), path)

    def test_svg_colours_the_groups(self):
        root = xml.etree.ElementTree.fromstring(plan(16, "sglang:tp=8,pp=2", "--format", "svg", "--group", "pp"))
        fill = {}
        for cell in root.iter(SVG + "g"):
            title = cell.find(SVG + "title")
            if title is not None:
                fill[int(title.text.split()[1].rstrip(","))] = cell.find(SVG + "rect").get("fill")
        self.assertEqual([fill[rank] for rank in range(8)], [fill[rank] for rank in range(8, 16)])
        self.assertEqual(len(set(fill.values())), 8)

    def test_html_is_one_file_without_network(self):
        for world, spec, options in self.CASES:
            with self.subTest(spec=spec):
                text = plan(world, spec, "--format", "html", *options)
                self.assertEqual(xml.etree.ElementTree.fromstring(text).tag, "html")
                self.assertNotRegex(text, r"https?:|//[a-z]+\.|@import|url\(|<link|src=|fetch\(|import\(|@[A-Z]+@")
                data = json.loads(re.search(r"^const plan = (.*);$", text, re.M).group(1))
                self.assertEqual(data["groups"], plan_json(world, spec)["groups"])


class RefusalTest(unittest.TestCase):
    def refused(self, pattern, *arguments):
        done = run(list(arguments))
        self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
        self.assertRegex(done.stderr, pattern)

    def test_layouts(self):
        self.refused(r"^psctl plan: megatron: tp=3 does not divide world 8 \(8 = 3 x 2 \+ 2\); try tp=1, 2, 4 or 8",
                     "--world", "8", "--layout", "megatron:tp=3")
        self.refused("position", "--world", "8", "--layout", "grid:tp=2,tp=4")
        self.refused("at least 1", "--world", "-4", "--layout", "grid:tp=2")
        self.refused("--layout is required", "--world", "8")

    def test_options(self):
        layout = ("--world", "16", "--layout", "sglang:tp=8,pp=2")
        self.refused(r"^psctl plan: rank 16 is not in the world 0 .. 15\n$", *layout, "--rank", "16")
        self.refused("rank -1 is not in the world", *layout, "--rank=-1")
        for form in ("table", "json", "svg", "html"):
            self.refused("'nonsense'.*there are world, tp", *layout, "--group", "nonsense", "--format", form)
        self.refused("nonsense", *layout, "--group", "nonsense", "--rank", "3")
        self.refused("--hosts", *layout, "--hosts", "0")
        self.refused("--format", *layout, "--format", "pdf")
        self.refused("megatron.*position", *layout, "--diff", "megatron:tp=3")
        self.refused("--diff", *layout, "--diff", "sglang:tp=16", "--rank", "3")
        self.refused("--diff", *layout, "--diff", "sglang:tp=16", "--format", "svg")

    def test_pictures_of_too_many_ranks(self):
        for form in ("svg", "html"):
            self.refused("at most 16384 ranks", "--world", "100000", "--layout", "grid:tp=8,dp=12500", "--format", form)

    def test_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PSCTL, "plan", "--world", "8", "--layout", "grid:tp=8"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    PSCTL, golden, DOCUMENT = sys.argv[1:4]
    with open(golden, encoding="utf-8") as file:
        GOLDEN = json.load(file)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
