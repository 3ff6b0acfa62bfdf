"""Worlds of one rank and worlds whose ranks are threads of this process."""

import gc
import os
import subprocess
import sys
import threading
import time
import unittest

import checks
from support import alone, needs_numpy, np, ps, run_world

HERE = os.path.dirname(os.path.abspath(__file__))


@needs_numpy
class Threads(unittest.TestCase):
    """Every check, with three threads as ranks; the methods are added below."""


def _add(name, check):
    def test(self):
        run_world(3, check)

    setattr(Threads, f"test_{name[len('check_'):]}", test)


for _name, _check in checks.ALL.items():
    _add(_name, _check)


@needs_numpy
class Alone(unittest.TestCase):
    def test_without_an_environment(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PS_") or k == "PS_LIBRARY"}
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
            environment.pop(name, None)
        code = "import parallelstate as ps\nwith ps.init() as c: print(c.rank, c.world_size, c.world.size)"
        environment["PYTHONPATH"] = os.path.dirname(HERE)
        self.assertEqual(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                                        timeout=60).stdout, "0 1 1\n")

    def test_an_operation_is_a_copy(self):
        with alone() as context:
            world = context.world
            x = np.arange(4.0)
            np.testing.assert_array_equal(world.all_reduce(x), np.arange(4.0))
            np.testing.assert_array_equal(world.all_gather(x), x)
            np.testing.assert_array_equal(world.all_to_all(x), x)
            np.testing.assert_array_equal(world.reduce_scatter(x, op=ps.AVG), x)
            world.barrier()

    def test_everything_says_so_after_finalize(self):
        context = alone()
        world, store = context.world, context.store
        work = world.all_reduce(np.ones(2), async_=True)
        context.finalize()
        context.finalize()
        self.assertTrue(context.finalized)
        self.assertEqual((context.rank, world.size), (0, 1))
        for call in (context.world_info, context.describe, world.barrier, world.info, lambda: store.get("a", 0),
                     lambda: context.group("world")):
            with self.assertRaises(ps.StateError) as caught:
                call()
            self.assertTrue(str(caught.exception))
        work.close()
        world.close()
        store.close()

    def test_any_order_of_destruction(self):
        for _ in range(20):
            context = alone()
            group = context.new_group([0])
            work = group.all_reduce(np.ones(2), async_=True)
            store = context.store
            context.finalize()
            del context
            gc.collect()
            del store, group
            gc.collect()
            del work
            gc.collect()

    def test_rounds_leave_nothing_behind(self):
        def descriptors():
            return len(os.listdir("/proc/self/fd"))

        def threads():
            return len(os.listdir("/proc/self/task"))

        own = threads()
        for _ in range(3):
            alone().finalize()
        # A thread that has been joined may be in the list for a moment.
        def settled(expected):
            until = time.monotonic() + 10
            while threads() > expected and time.monotonic() < until:
                time.sleep(0.001)
            return descriptors(), threads()

        before = settled(own)
        for _ in range(50):
            with alone() as context:
                context.world.barrier()
        self.assertEqual(settled(before[1]), before)

    def test_log_function(self):
        lines = []
        with alone(log=lambda level, text: lines.append((level, text)), log_level=ps.LogLevel.TRACE,
                   secret="do not print this") as context:
            context.world.barrier()
        self.assertTrue(lines)
        for level, text in lines:
            self.assertIn(level, list(ps.LogLevel))
            self.assertNotIn("\n", text)
            self.assertNotIn("do not print this", text)

    def test_a_log_function_that_raises_harms_nothing(self):
        code = ("import parallelstate as ps\n"
                "def log(level, text): raise KeyError('in the log function')\n"
                "c = ps.init(0, 1, use_environment=False, host_only=True, log=log, log_level=ps.LogLevel.TRACE)\n"
                "with c: c.world.barrier()\n"
                "print('alive')\n")
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "PYTHONPATH": os.path.dirname(HERE)})
        self.assertEqual((run.returncode, run.stdout), (0, "alive\n"))
        self.assertIn("KeyError: 'in the log function'", run.stderr)

    def test_what_is_left_is_finalized_at_exit(self):
        code = ("import parallelstate as ps\n"
                "c = ps.init(0, 1, use_environment=False, host_only=True)\n"
                "g = c.new_group([0])\n"
                "w = g.barrier(async_=True)\n"
                "finalize = ps.Context.finalize\n"
                "ps.Context.finalize = lambda self: (finalize(self), print('finalized'))\n")
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "PYTHONPATH": os.path.dirname(HERE)})
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "finalized\n", ""))

    def test_a_child_of_fork_is_told(self):
        code = ("import os, parallelstate as ps\n"
                "c = ps.init(0, 1, use_environment=False, host_only=True)\n"
                "pid = os.fork()\n"
                "if pid == 0:\n"
                "    try: c.world_info()\n"
                "    except ps.StateError as e: print('refused', flush=True)\n"
                "    raise SystemExit(0)\n"
                "assert os.waitpid(pid, 0)[1] == 0\n"
                "c.world.barrier(); c.finalize(); print('unharmed')\n")
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                             env={**os.environ, "PYTHONPATH": os.path.dirname(HERE)})
        self.assertEqual((run.returncode, run.stdout), (0, "refused\nunharmed\n"), run.stderr)

    def test_library_info(self):
        info = ps.library_info()
        self.assertIsInstance(info, dict)
        self.assertEqual(ps.library_version()[:2], (0, 1))
        for code in ps.Result:
            self.assertEqual(ps.result_name(code), f"PS_{code.name}")
        self.assertEqual(ps.result_name(-99), "unknown result")

    def test_numbers_that_c_would_cut_are_refused(self):
        with alone() as context:
            world, x = context.world, np.zeros(2)
            for call, what in ((lambda: world.broadcast(x, root=1 << 32), "root"),
                               (lambda: world.send(x, 1 << 32), "dst"), (lambda: world.recv(x, 0, 1 << 40), "tag"),
                               (lambda: world.batch([ps.Send(x, 1 << 32)]), "batch: message 0: peer"),
                               (lambda: context.new_group([1 << 32]), "a member of global_ranks"),
                               (lambda: context.new_group([0], max_object_bytes=-1), "max_object_bytes"),
                               (lambda: context.rank_info(-1 << 40), "global_rank"),
                               (lambda: world.split(1 << 32), "color"), (lambda: alone(replica=1 << 32), "replica"),
                               (lambda: context.store.add("n", 1 << 63), "delta")):
                with self.subTest(what), self.assertRaisesRegex(ps.ArgumentError, f"^{what} is -?[0-9]+; it must be"):
                    call()
            for call, text in ((lambda: world.all_reduce(x, op="sum"), "op must be a reduction .* not str"),
                               (lambda: world.all_reduce(x, dtype=np.float64), "dtype must be a parallelstate.DataTyp"),
                               (lambda: world.broadcast(x, root="0"), "root must be an int, not str"),
                               (lambda: world.all_gather_v(x, 2), "counts must be a sequence of ints, not 2"),
                               (lambda: world.set_timeout("1"), "timeout must be a number of seconds or None"),
                               (lambda: context.store.set("key", 3), r"a value is bytes or str, not int; pass str\(3")):
                with self.subTest(text), self.assertRaisesRegex(TypeError, text):
                    call()
            with self.assertRaisesRegex(ps.ArgumentError, r"op=premul_sum\(0.5\)"):
                world.all_reduce(x, op=ps.ReduceOp.PREMUL_SUM)
            with self.assertRaisesRegex(ps.ArgumentError, f"op is {(1 << 32) + 1}; it must be from"):
                world.all_reduce(x, op=(1 << 32) + 1)
            world.barrier()

    def test_unsupported_reductions(self):
        with alone() as context:
            for dtype, op in ((bool, ps.SUM), (np.float32, ps.BIT_AND), (np.int32, ps.LOGICAL_OR),
                              (np.int32, ps.premul_sum(2))):
                with self.subTest(op=op), self.assertRaises(ps.Error) as caught:
                    context.world.all_reduce(np.ones(2, dtype), op=op)
                self.assertIn(caught.exception.code, (ps.Result.ERR_UNSUPPORTED, ps.Result.ERR_ARGUMENT))
            context.world.barrier()


class Stores(unittest.TestCase):
    def test_serve_and_open(self):
        with ps.Store.serve("tcp://127.0.0.1:0", secret="s", timeout=20) as served:
            self.assertRegex(served.address, r"^tcp://127\.0\.0\.1:[1-9]\d*$")
            with ps.Store.open(served.address, secret="s", timeout=20) as store:
                store.set("a", b"1\0\xff")
                self.assertEqual(served.get("a"), b"1\0\xff")
                self.assertEqual([store.add("n", 5), served.add("n", -7)], [5, -2])
                self.assertTrue(store.compare_and_set("a", b"1\0\xff", "2"))
                self.assertEqual(served.get("a"), b"2")
                threading.Timer(0.05, served.set, args=("late", b"x")).start()
                self.assertEqual(store.get("late", timeout=20), b"x")
            with self.assertRaises(PermissionError):
                ps.Store.open(served.address, secret="another", timeout=20)

    def test_wrong_arguments(self):
        with ps.Store.serve("tcp://127.0.0.1:0", secret="s", timeout=20) as served:
            for call, kind in ((lambda: served.set("", b""), ValueError),
                               (lambda: served.set("a" * 1025, b""), ValueError),
                               (lambda: served.set("a\0b", b""), ValueError), (lambda: served.set("a", 3), TypeError),
                               (lambda: served.get(None), TypeError), (lambda: served.get("a", -1), ValueError),
                               (lambda: served.get("a", 0), TimeoutError)):
                with self.assertRaises(kind):
                    call()
            served.set("text", "not a number")
            with self.assertRaises(ps.ArgumentError):
                served.add("text")
        with self.assertRaises(ps.StateError):
            served.get("a")


if __name__ == "__main__":
    unittest.main()
