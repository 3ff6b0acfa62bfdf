"""`psctl bench` with real ranks: what it measures is verified, and what it prints is what it says it prints.

    psctl_bench_test.py PATH_OF_PSCTL [unittest arguments]

No test looks at how long anything took.
"""

import json
import os
import pty
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

PSCTL = ""
LIMIT_S = 120
OPERATIONS = {"all_reduce", "reduce", "broadcast", "all_gather", "reduce_scatter", "all_to_all", "gather", "scatter",
              "barrier", "send_recv"}
IN_BLOCKS = {"all_gather", "reduce_scatter", "all_to_all", "gather", "scatter"}
KEYS = {"op", "ranks", "bytes", "dtype", "path", "registered", "backend", "median_us", "p99_us", "min_us", "iterations",
        "rounds", "algbw_gbs", "busbw_gbs", "line_ns", "line_min_ns", "line_max_ns", "verified"}
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not re.match(r"PS_|OMPI_|PMI_|SLURM_|(LOCAL_|GROUP_)?(RANK|WORLD_SIZE)$|MASTER_", name)}


# By operation, what a small and a large one of two ranks on one host come to where no rank reaches another's memory.
SMALL = {operation: "one-shot" for operation in OPERATIONS} | {"send_recv": "eager"}
LARGE = {operation: "pipeline" for operation in OPERATIONS - {"barrier"}} | {"all_reduce": "two-shot",
                                                                             "send_recv": "pieces"}
# And what goes from buffer to buffer where they do.
IN_ONE_COPY = {"broadcast": "single-copy", "all_gather": "single-copy", "all_to_all": "single-copy",
               "gather": "single-copy", "scatter": "single-copy", "send_recv": "lent"}


def bench(*arguments, command="bench", before=(), environment=None):
    return subprocess.run([*before, PSCTL, command, *arguments], env=ENVIRONMENT | (environment or {}),
                          capture_output=True, text=True, timeout=LIMIT_S)


def has_gloo():
    info = json.loads(bench("--format", "json", command="info").stdout)
    return any(backend["name"] == "gloo" and backend["available"] for backend in info["backends"])


class BenchTest(unittest.TestCase):
    def points(self, *arguments, environment=None):
        result = bench("--format", "json", *arguments, environment=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        return [json.loads(line) for line in result.stdout.splitlines()]

    def check_every_operation(self, ranks):
        points = self.points("--op", "all", "--ranks", str(ranks), "--sizes", "8,3000", "--iterations", "3",
                             "--rounds", "2")
        self.assertEqual({point["op"] for point in points}, OPERATIONS)
        for point in points:
            self.assertEqual(set(point), KEYS)
            self.assertTrue(point["verified"], point)
            self.assertEqual((point["ranks"], point["dtype"], point["registered"]), (ranks, "f32", False))
            self.assertEqual((point["rounds"], point["iterations"]), (2, 6))
            self.assertEqual(point["backend"], "shm")
            self.assertGreater(point["line_ns"], 0)
            self.assertLessEqual(point["min_us"], point["p99_us"])
            for name in ("median_us", "p99_us", "algbw_gbs", "busbw_gbs"):
                self.assertGreaterEqual(point[name], 0)
        return points

    def test_two_ranks_measure_every_operation(self):
        points = self.check_every_operation(2)
        for operation in OPERATIONS - {"barrier"}:
            self.assertEqual([point["bytes"] for point in points if point["op"] == operation], [8, 3000], operation)
        self.assertEqual([point["bytes"] for point in points if point["op"] == "barrier"], [0])

    def test_three_ranks_measure_every_operation(self):
        # Sizes become whole blocks, at least one element each; in a ping-pong of three the last has no partner.
        points = self.check_every_operation(3)
        for operation in IN_BLOCKS:
            self.assertEqual([point["bytes"] for point in points if point["op"] == operation], [12, 3000], operation)

    def test_buffers_that_all_ranks_reach(self):
        points = self.points("--op", "all", "--ranks", "3", "--sizes", "8,300000", "--iterations", "3", "--rounds", "1",
                             "--registered")
        self.assertEqual({point["op"] for point in points}, OPERATIONS)
        for point in points:
            self.assertEqual((point["registered"], point["verified"]), (True, True), point)

    def test_a_rank_alone(self):
        points = self.points("--op", "all", "--ranks", "1", "--sizes", "8", "--iterations", "3", "--rounds", "1")
        self.assertTrue(all(point["verified"] for point in points))
        self.assertEqual({point["line_ns"] for point in points}, {0})

    def test_every_data_type_is_verified(self):
        for dtype in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f64"):
            with self.subTest(dtype):
                points = self.points("--op", "all_reduce,reduce_scatter", "--ranks", "2", "--sizes", "4096",
                                     "--dtype", dtype, "--iterations", "2", "--rounds", "1")
                self.assertEqual([(point["dtype"], point["verified"]) for point in points], [(dtype, True)] * 2)

    def test_bandwidth_is_that_of_nccl_tests(self):
        for point in self.points("--op", "all_reduce,all_gather,broadcast", "--ranks", "3", "--sizes", "60000",
                                 "--iterations", "3", "--rounds", "1"):
            factor = {"all_reduce": 4 / 3, "all_gather": 2 / 3, "broadcast": 1}[point["op"]]
            self.assertAlmostEqual(point["algbw_gbs"], point["bytes"] / point["median_us"] / 1e3, delta=0.01)
            self.assertAlmostEqual(point["busbw_gbs"], point["algbw_gbs"] * factor, delta=0.01)

    def paths(self, *arguments, environment=None):
        points = self.points("--op", "all", "--sizes", "8,3M", "--iterations", "1", "--rounds", "2", *arguments,
                             environment=environment)
        small = {point["op"]: point["path"] for point in points if point["bytes"] < 100}
        return small, {point["op"]: point["path"] for point in points if point["bytes"] >= 100}

    def test_the_path_is_the_one_that_was_taken(self):
        small, large = self.paths()
        self.assertEqual(small, SMALL)
        # A host may forbid what the one copy needs.
        self.assertIn(large, (LARGE | IN_ONE_COPY, LARGE))

    def test_the_path_where_no_rank_reaches_anothers_memory(self):
        self.assertEqual(self.paths(environment={"PS_CROSS_MEMORY": "0"}), (SMALL, LARGE))

    def test_the_path_of_memory_that_all_ranks_reach(self):
        for cross_memory in ("0", "1"):
            small, large = self.paths("--registered", environment={"PS_CROSS_MEMORY": cross_memory})
            self.assertEqual(small, SMALL)
            self.assertIn(large.pop("send_recv"), {"pieces"} if cross_memory == "0" else {"lent", "pieces"})
            self.assertEqual(large, {operation: "direct" for operation in large})

    def test_the_path_that_a_rule_asks_for(self):
        point, = self.points("--op", "all_reduce", "--sizes", "8", "--iterations", "1", "--rounds", "1",
                             environment={"PS_DISPATCH": "all_reduce=pipeline"})
        self.assertEqual(point["path"], "pipeline")

    def test_the_path_of_a_rank_alone(self):
        points = self.points("--op", "all", "--ranks", "1", "--sizes", "8", "--iterations", "1", "--rounds", "1")
        # Without a partner nothing is sent.
        self.assertEqual({point["op"]: point["path"] for point in points},
                         {operation: "copy" for operation in OPERATIONS} | {"send_recv": ""})

    def test_the_path_over_the_network(self):
        if not has_gloo():
            self.skipTest("this build has no Gloo")
        self.assertEqual(self.paths("--backend", "gloo"), (SMALL, LARGE))

    def test_the_path_of_a_group_that_spans_hosts(self):
        if not has_gloo():
            self.skipTest("this build has no Gloo")
        result = subprocess.run([PSCTL, "run", "-n", "4", "--", "sh", "-c",
                                 'PS_HOST_ID=host$((PS_RANK / 2)) exec "$0" bench --op all --sizes 16,3M --iterations 1'
                                 ' --rounds 1 --format json', PSCTL],
                                env=ENVIRONMENT | {"PS_CROSS_MEMORY": "0"}, capture_output=True, text=True,
                                timeout=LIMIT_S)
        self.assertEqual(result.returncode, 0, result.stderr)
        points = [json.loads(line.removeprefix("[0] ")) for line in result.stdout.splitlines()]
        flat = {"all_to_all", "gather", "scatter"}
        for point in points:
            if point["op"] == "send_recv":  # between ranks 0 and 1, which share a host
                expected = "eager" if point["bytes"] < 100 else "pieces"
            elif point["op"] == "all_reduce" and point["bytes"] > 100:
                expected = "striped"
            else:
                expected = "flat" if point["op"] in flat else "staged"
            self.assertEqual((point["op"], point["path"]), (point["op"], expected))

    def test_three_dots_go_on_with_the_same_factor(self):
        points = self.points("--sizes", "8,32,...,2K", "--iterations", "1", "--rounds", "1")
        self.assertEqual([point["bytes"] for point in points], [8, 32, 128, 512, 2048])

    def test_the_table_names_every_operation(self):
        result = bench("--op", "all", "--sizes", "1K", "--iterations", "2", "--rounds", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        for operation in OPERATIONS:
            self.assertRegex(result.stdout, rf"(?m)^{operation} .* yes$")

    def test_the_picture_is_well_formed(self):
        result = bench("--op", "all", "--sizes", "8,1K,64K", "--iterations", "2", "--rounds", "1", "--format", "svg")
        self.assertEqual(result.returncode, 0, result.stderr)
        picture = xml.etree.ElementTree.fromstring(result.stdout)
        self.assertEqual(picture.tag, "{http://www.w3.org/2000/svg}svg")
        texts = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
        self.assertLessEqual(OPERATIONS - {"barrier"}, texts)
        # Per operation: its median, its 99th percentile, its bandwidth.
        lines = list(picture.iter("{http://www.w3.org/2000/svg}polyline"))
        self.assertEqual(len(lines), 3 * len(OPERATIONS - {"barrier"}))

    def test_wrong_options_are_refused_with_a_text(self):
        for arguments, said in [(["--op", "all_recuce"], "all_reduce"), (["--sizes", "8,huge"], "huge"),
                                (["--sizes", "8,...,64"], "two sizes"), (["--dtype", "f31"], "bf16"),
                                (["--iterations", "0"], "auto"), (["--iterations", "many"], "auto"),
                                (["--ranks", "0"], "--ranks"), (["--format", "png"], "--format"),
                                (["--rounds", "0"], "--rounds"), (["--formation", "--idle"], "--formation"),
                                (["--formation", "--op", "reduce"], "--op"), (["--idle", "--format", "svg"], "svg"),
                                (["--seconds", "3"], "--idle"), (["--op", "barrier", "--format", "svg"], "barrier"),
                                (["--ranks", "64", "--sizes", "1024G"], "GiB")]:
            with self.subTest(" ".join(arguments)):
                result = bench(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(said, result.stderr)

    def test_a_backend_that_does_not_exist_is_the_librarys_error(self):
        result = bench("--backend", "pigeon", "--sizes", "8")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("pigeon", result.stderr)

    def test_within_a_world_of_somebody_else(self):
        result = bench("--op", "all_reduce", "--sizes", "8", "--iterations", "2", "--format", "json",
                       before=(PSCTL, "run", "-n", "3", "--"))
        self.assertEqual(result.returncode, 0, result.stderr)
        point = json.loads(result.stdout.removeprefix("[0] "))
        self.assertEqual((point["ranks"], point["verified"]), (3, True))

    def test_formation(self):
        formation, = self.points("--formation", "--ranks", "5")
        self.assertEqual((formation["what"], formation["ranks"]), ("formation", 5))
        self.assertGreaterEqual(formation["launch_s"], formation["init_s"])
        self.assertGreater(formation["resident_kib"], 0)
        result = bench("--formation", "--ranks", "2")
        self.assertIn("A world of 2 ranks", result.stdout)

    def test_of_many_ranks_each_keeps_little_of_the_others(self):
        few, = self.points("--formation", "--ranks", "64")
        many, = self.points("--formation", "--ranks", "512")
        # 16 bytes of each other one are 7 KiB; a table of pointers would be 4 more, one of who they are 18.
        self.assertLessEqual(many["own_kib"] - few["own_kib"], 24)

    def test_idle(self):
        idle, = self.points("--idle", "--seconds", "0.1", "--ranks", "3")
        self.assertEqual((idle["what"], idle["ranks"], idle["seconds"]), ("idle", 3, 0.1))
        self.assertGreaterEqual(idle["waiting_cpu_ms"], 0)

    def test_progress_is_for_a_terminal_alone(self):
        watcher, terminal = pty.openpty()
        process = subprocess.Popen([PSCTL, "bench", "--sizes", "8,1K", "--iterations", "2", "--format", "json"],
                                   env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=terminal, text=True)
        os.close(terminal)
        shown = b""
        while True:
            try:
                read = os.read(watcher, 4096)
            except OSError:  # the last holder of the terminal has gone
                break
            if not read:
                break
            shown += read
        os.close(watcher)
        output, _ = process.communicate(timeout=LIMIT_S)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"round 3 of 3, 100 %: all_reduce 1K", shown)
        self.assertEqual(len([json.loads(line) for line in output.splitlines()]), 2)


if __name__ == "__main__":
    PSCTL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
