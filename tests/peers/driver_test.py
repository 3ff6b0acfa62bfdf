"""bench-peers with programs whose figures are known: what is compared, what is left out, and how it is shown.

usage: driver_test.py SOURCE_TREE
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

TREE = Path(sys.argv.pop(1))
DRIVER = TREE / "bench" / "peers"
FAKE = Path(__file__).with_name("fake.py")
DEADLINE_S = 250
PROGRAMS = ("bin/psctl", "bench/peers/peer_limits", "bench/peers/peer_gloo", "bench/peers/peer_openmpi",
            "bench/peers/peer_mpich", "path/mpirun.openmpi", "path/mpirun.mpich", "path/nsenter")


def bench(*arguments, **environment):
    """Runs the driver on a build folder where every program is the fake."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-test-") as build:
        for program in PROGRAMS:
            path = Path(build) / program
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(FAKE)
        (Path(build) / "path" / "ip").symlink_to("/bin/true")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PS_", "FAKE_"))}
        return subprocess.run(
            ["/usr/bin/python3", str(DRIVER), "--build", build, *arguments], text=True, capture_output=True,
            check=False, timeout=DEADLINE_S, stdin=subprocess.DEVNULL,
            env={**clean, "PATH": f"{build}/path:/usr/bin:/bin", "FAKE_STARTS": f"{build}/starts",
                 "PYTHONDONTWRITEBYTECODE": "1", **environment})


def measured(*arguments, **environment):
    run = bench("--quick", "--format", "json", *arguments, **environment)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return json.loads(run.stdout)


class Comparison(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = measured()
        cls.points = cls.document["points"]

    def test_only_equal_placements_are_compared(self):
        modes = set()
        for point in self.points:
            modes.add(point["mode"])
            ours = 0.5 if point["registered"] else 1.0
            for name, us in (("openmpi", 2.5), ("openmpi_sm", 2.0), ("mpich", 5.0), ("gloo", 400.0)):
                if name in point["peers"]:
                    self.assertAlmostEqual(point["ours_us"] / point["peers"][name], ours / us, 4, point)
        self.assertEqual(modes, {"near", "far", "shared"})

    def test_the_best_peer_and_the_limit(self):
        found = [point for point in self.points if point["op"] == "all_reduce" and point["bytes"] == 1 << 20
                 and point["mode"] == "near" and {"openmpi", "openmpi_sm", "mpich"} <= set(point["peers"])]
        self.assertTrue(found)
        for point in found:
            ours = 0.5 if point["registered"] else 1.0
            self.assertEqual((point["best_peer"], point["best_mpi"]), ("openmpi_sm", "openmpi_sm"))
            self.assertAlmostEqual(point["ratio"], ours / 2.0, 3)
            self.assertAlmostEqual(point["ratio_to_limit"], ours / 0.4, 2)

    def test_a_line_is_the_limit_of_a_barrier(self):
        for point in self.points:
            if point["op"] == "barrier" and point["mode"] == "far":
                self.assertAlmostEqual(point["limit_us"], 1.2, 3)      # the fake's copies take longer than its line
            if point["mode"] != "shared":
                self.assertGreaterEqual(point["limit_us"] * 1000 + 1, point["line_ns"])

    def test_every_operation_has_a_point_with_every_mpi(self):
        wanted = {"all_reduce", "barrier", "send_recv", "broadcast", "reduce_scatter", "all_gather", "all_to_all"}
        seen = {point["op"] for point in self.points if {"openmpi", "mpich"} <= set(point["peers"])}
        self.assertEqual(seen, wanted)

    def test_goals(self):
        goals = {goal["goal"]: goal for goal in self.document["goals"]}
        self.assertEqual(goals["all_reduce 1-64 MiB / best MPI"]["verdict"], "aim")
        self.assertAlmostEqual(goals["all_reduce 1-64 MiB / best MPI"]["measured"], 0.5, 3)
        self.assertEqual(goals["all_reduce 8 B / cache-line latency"]["verdict"], "missed")
        self.assertIs(goals["all_reduce 8 B / cache-line latency"]["ok"], False)
        self.assertEqual(goals["barrier / best MPI"]["verdict"], "aim")
        self.assertAlmostEqual(goals["4 ranks on 2 cores, all_reduce <= 1 KiB / Open MPI"]["measured"], 0.4, 3)
        self.assertAlmostEqual(goals["p99 / median of all_reduce"]["measured"], 1.5, 2)
        python = goals["Python all_reduce 8 B, added per call over C"]
        self.assertIn(round(python["measured"], 2), (0.91, 2.72))      # (2.9 - 2.0) * 1.008, near or far
        self.assertEqual(goals["two namespaces, all_reduce 64 MiB / Gloo's minimum"]["verdict"], "unknown")

    def test_what_is_not_installed_is_said(self):
        self.assertIn("oneccl-cpu-devel", self.document["skipped"]["oneccl"])
        self.assertIn("torch", self.document["skipped"]["torch_gloo"])


class BetweenHosts(unittest.TestCase):
    @unittest.skipIf(os.geteuid() != 0, "network namespaces need root")
    def test_ours_is_compared_with_the_least_of_gloo(self):
        document = measured("--op", "between_hosts", FAKE_GLOO="1")
        self.assertEqual(document["faults"], {})
        self.assertEqual({row["ranks"] for row in document["between_hosts"]}, {2, 4})
        for row in document["between_hosts"]:
            factor = 1 + row["bytes"] / 1000
            self.assertAlmostEqual(row["gloo_min_us"], 400 * factor, 2)
            self.assertIn(round(row["ours_us"] / factor, 2), (1.0, 3.0))      # near or far
        goals = {goal["goal"]: goal for goal in document["goals"]}
        self.assertEqual(goals["two namespaces, all_reduce 64 MiB / Gloo's minimum"]["verdict"], "aim")

    def test_a_library_without_gloo_is_not_measured(self):
        document = measured("--op", "between_hosts")
        self.assertEqual(document["between_hosts"], [])
        self.assertIn("no gloo backend", document["skipped"]["between two network namespaces"])


class Faults(unittest.TestCase):
    def test_a_peer_that_fails_is_left_out(self):
        document = measured("--op", "all_reduce", FAKE_BROKEN="gloo")
        self.assertTrue(any(what.startswith("gloo") and "no such device" in why
                            for what, why in document["faults"].items()))
        self.assertTrue(document["points"])
        self.assertFalse(any("gloo" in point["peers"] for point in document["points"]))

    def test_a_wrong_result_is_no_figure(self):
        document = measured("--op", "barrier", FAKE_WRONG="mpich")
        self.assertFalse(any("mpich" in point["peers"] for point in document["points"]))
        self.assertTrue(any("wrong result" in why for why in document["faults"].values()))

    def test_a_wrong_result_of_ours_fails_the_run(self):
        self.assertEqual(bench("--quick", "--op", "barrier", FAKE_WRONG="ours").returncode, 1)

    def test_the_prefix_stands_before_every_program(self):
        run = bench("--quick", "--format", "json", "--op", "barrier", PS_BENCH_PREFIX="env FAKE_BROKEN=mpich")
        self.assertTrue(any(what.startswith("mpich") for what in json.loads(run.stdout)["faults"]), run.stderr)


class Renderings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="bench-peers-test-")
        cls.kept = Path(cls.folder.name) / "run.json"
        run = bench("--quick", "--format", "markdown", "--save", str(cls.kept))
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        cls.markdown = run.stdout

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_tables_are_even_and_hold_every_goal_and_point(self):
        document = json.loads(self.kept.read_text())
        tables, rows = [], []
        for line in self.markdown.splitlines() + [""]:
            if line.startswith("|"):
                rows.append(line.strip("|").split("|"))
            elif rows:
                tables.append(rows)
                rows = []
        self.assertEqual(len(tables), 2)
        for rows in tables:
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        self.assertEqual(len(tables[0]), 2 + len(document["goals"]))
        self.assertEqual(len(tables[1]), 2 + len(document["points"]))
        self.assertIn("**no**", self.markdown)

    def test_a_kept_run_prints_the_same(self):
        again = bench("--from", str(self.kept), "--format", "markdown")
        self.assertEqual(again.stdout, self.markdown)

    def keep(self, name, factor, **changes):
        """The kept run, as it would be had ours taken `factor` of the time."""
        document = json.loads(self.kept.read_text()) | changes
        for point in document["points"]:
            for field in ("ours_us", "ratio", "ratio_to_best_mpi", "ratio_to_openmpi", "ratio_to_limit"):
                if point[field] is not None:
                    point[field] *= factor
        for goal in document["goals"]:
            goal["measured"] = goal["measured"] and goal["measured"] * factor
        path = Path(self.folder.name) / name
        path.write_text(json.dumps(document))
        return "--from", str(path)

    def test_of_several_runs_the_medians_count(self):
        kept = json.loads(self.kept.read_text())
        run = bench(*self.keep("slow", 10), *self.keep("as it was", 1), *self.keep("slower", 2), "--format", "json")
        document = json.loads(run.stdout)
        self.assertEqual((document["runs"], document["took_s"]), (3, 3 * kept["took_s"]))
        self.assertEqual(len(document["points"]), len(kept["points"]))
        for pooled, point in zip(document["points"], kept["points"]):
            for field in ("op", "ranks", "bytes", "registered", "mode", "peers"):
                self.assertEqual(pooled[field], point[field])
            for field in ("ours_us", "ratio"):
                self.assertAlmostEqual(pooled[field], 2 * point[field], 3)
        for pooled, goal in zip(document["goals"], kept["goals"]):
            if goal["measured"] is not None:
                self.assertAlmostEqual(pooled["least"], goal["measured"], 3)
                self.assertAlmostEqual(pooled["most"], 10 * goal["measured"], 3)
        text = bench(*self.keep("slow", 10), *self.keep("as it was", 1)).stdout
        self.assertIn("medians of 2 runs", text)
        self.assertIn("| single runs |", text)

    def test_runs_of_different_machines_are_not_mixed(self):
        run = bench(*self.keep("one", 1), *self.keep("other", 1, machine={"processors": 4}))
        self.assertEqual(run.returncode, 1)
        self.assertIn("different machines", run.stderr)

    def test_runs_after_each_other_are_one_result(self):
        document = measured("--op", "barrier", "--runs", "2", "--apart", "0")
        self.assertEqual((document["runs"], [point["op"] for point in document["points"]]), (2, ["barrier", "barrier"]))

    def test_the_picture_is_well_formed_and_all_of_it_is_in_view(self):
        run = bench("--from", str(self.kept), "--format", "svg")
        picture = xml.fromstring(run.stdout)
        _, _, width, height = map(float, picture.get("viewBox").split())
        circles = [element for element in picture.iter() if element.tag.endswith("circle")]
        self.assertGreater(len(circles), 50)
        for circle in circles:
            self.assertTrue(0 < float(circle.get("cx")) < width and 0 < float(circle.get("cy")) < height)
        words = " ".join(picture.itertext())
        for name in ("ParallelState, registered", "Open MPI, coll/sm", "MPICH", "Gloo", "limit", "all_reduce, 2 ranks"):
            self.assertIn(name, words)


if __name__ == "__main__":
    unittest.main(verbosity=2)
