"""Handles and buffers over their life, against a stand-in for the library that records its calls."""

import array
import ctypes
import gc
import threading
import unittest
import warnings

from support import ps

from parallelstate import _handles, _library
from parallelstate.group import Group

WORK = 77


class StandIn:
    """A group of two whose operations stay in progress until `complete` is called."""

    def __init__(self):
        self.calls = []
        self.state = ps.Result.IN_PROGRESS
        self.text = b""

    def complete(self, result=ps.Result.OK, text=b""):
        self.state, self.text = result, text

    def psLastError(self):
        return self.text

    def psGetGroupInfo(self, group, info):
        info._obj.size, info._obj.name, info._obj.failed_global_rank = 2, b"pair", -1
        return 0

    def psGroupGlobalRanks(self, group, ranks, capacity, count):
        ranks[0], ranks[1] = 4, 5
        return 0

    def psAllReduce(self, group, send, recv, count, dtype, op, stream, work):
        if group is None:
            return int(ps.Result.ERR_ARGUMENT)
        self.calls.append("all_reduce")
        if work is None:
            return int(self.state) if self.state < 0 else 0
        work._obj.value = WORK
        return 0

    def psWorkTest(self, work):
        return int(self.state)

    def psWorkWait(self, work, timeout_ms):
        self.calls.append("wait")
        if self.state == ps.Result.IN_PROGRESS:
            self.text = b"rank 1 is missing"
            return int(ps.Result.ERR_TIMEOUT)
        return int(self.state)

    def psWorkError(self, work, text):
        text._obj.value = self.text
        return 0

    def psWorkFree(self, work):
        self.calls.append("free work")
        return 0

    def psGroupFree(self, group):
        self.calls.append("free group")
        return 0


def install(test):
    """Puts a stand-in in the library's place, with nothing left of the tests before."""
    gc.collect()
    _handles._dropped.clear()
    for name, put in zip(("_loaded", "_bare"), [StandIn()] * 2):
        test.addCleanup(setattr, _library, name, getattr(_library, name))
        setattr(_library, name, put)
    test.addCleanup(_handles._dropped.clear)
    return _library._loaded


class FakeContext:
    def __init__(self, finalized=False):
        self.finalized = finalized
        self._orphans = []


class Lifetime(unittest.TestCase):
    def setUp(self):
        self.library = install(self)
        self.group = Group(5, FakeContext(), made=False)
        self.data = array.array("i", [1, 2])

    def resizable(self):
        try:
            self.data.append(0)
        except BufferError:
            return False
        return True

    def test_a_blocking_call_lets_go_of_its_buffers(self):
        self.assertIs(self.group.all_reduce(self.data), self.data)
        self.assertTrue(self.resizable())

    def test_a_failing_call_too(self):
        self.library.complete(ps.Result.ERR_ABORTED, b"aborted by rank 1")
        with self.assertRaisesRegex(ps.AbortedError, "aborted by rank 1") as caught:
            self.group.all_reduce(self.data)
        self.assertEqual(caught.exception.code, ps.Result.ERR_ABORTED)
        self.assertTrue(self.resizable())

    def test_also_while_the_error_is_looked_at(self):
        self.library.complete(ps.Result.ERR_ABORTED, b"aborted by rank 1")
        for buffer in (self.data, bytearray(4)):
            try:
                self.group.all_reduce(buffer)
            except ps.AbortedError:  # its traceback has the frames of the call
                buffer.extend(buffer)
            else:
                self.fail("the call did not fail")

    def test_a_call_holds_its_buffer(self):
        resizable = []

        def all_reduce(*arguments):
            resizable.append(self.resizable())
            return 0

        self.library.psAllReduce = all_reduce
        self.group.all_reduce(self.data)
        self.group.all_reduce(memoryview(self.data))
        self.assertEqual(resizable, [False, False])
        self.assertTrue(self.resizable())

    def test_a_work_holds_its_buffers_until_it_is_complete(self):
        work = self.group.all_reduce(self.data, async_=True)
        self.assertFalse(work.test())
        self.assertFalse(self.resizable())
        self.library.complete()
        self.assertTrue(work.test())
        self.assertTrue(self.resizable())
        self.assertIs(work.wait(), self.data)
        self.assertEqual(self.library.calls.count("free work"), 1)

    def test_a_wait_that_runs_out_fails_nothing(self):
        work = self.group.all_reduce(self.data, async_=True)
        with self.assertRaisesRegex(TimeoutError, "rank 1 is missing"):
            work.wait(timeout=0)
        self.assertFalse(work.done)
        self.assertIsNone(work.error)
        self.library.complete()
        self.assertIs(work.wait(), self.data)

    def test_an_operation_that_timed_out_is_an_error_of_the_work(self):
        work = self.group.all_reduce(self.data, async_=True)
        self.library.complete(ps.Result.ERR_TIMEOUT, b"all_reduce timed out")
        for _ in range(2):
            with self.assertRaisesRegex(ps.TimeoutError_, "all_reduce timed out"):
                work.wait(timeout=0)
        self.assertTrue(work.done)
        self.assertEqual(work.error.code, ps.Result.ERR_TIMEOUT)
        self.assertTrue(self.resizable())

    def test_a_forgotten_work_keeps_its_buffers_and_blocks_nobody(self):
        self.group.all_reduce(self.data, async_=True)
        gc.collect()
        self.assertEqual(self.library.calls, ["all_reduce"])
        _handles.sweep()
        self.assertEqual(self.library.calls, ["all_reduce"])
        self.assertFalse(self.resizable())
        self.library.complete()
        _handles.sweep()
        self.assertEqual(self.library.calls, ["all_reduce", "free work"])
        self.assertTrue(self.resizable())

    def test_leaving_the_block_waits(self):
        self.library.complete()
        with self.group.all_reduce(self.data, async_=True) as work:
            pass
        self.assertTrue(work.done)
        self.assertIn("wait", self.library.calls)

    def test_leaving_the_block_by_an_exception_does_not(self):
        with self.assertRaises(KeyError):
            with self.group.all_reduce(self.data, async_=True):
                raise KeyError
        self.assertNotIn("wait", self.library.calls)

    def test_another_thread_may_look_while_one_waits(self):
        work = self.group.all_reduce(self.data, async_=True)
        waiter = threading.Thread(target=work.wait, daemon=True)
        waiter.start()
        while "wait" not in self.library.calls:
            pass
        self.assertFalse(work.done)
        self.library.complete()
        waiter.join(60)
        self.assertFalse(waiter.is_alive())
        self.assertTrue(work.done)

    def test_a_forgotten_group_is_left_to_its_context(self):
        context = FakeContext()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            made = Group(9, context, made=True)
            del made
            gc.collect()
        self.assertEqual(context._orphans, [9])
        self.assertEqual([str(w.message) for w in seen],
                         ["group 'pair' was not closed; it stays until its context is finalized"])
        self.assertEqual(self.library.calls, [])

    def test_a_forgotten_reference_is_given_back_later(self):
        self.group = None
        gc.collect()
        self.assertEqual(self.library.calls, [])
        _handles.sweep()
        self.assertEqual(self.library.calls, ["free group"])

    def test_a_closed_group_says_so(self):
        self.group.close()
        self.group.close()
        self.assertEqual(self.library.calls, ["free group"])
        with self.assertRaisesRegex(ps.StateError, "group 'pair' is closed"):
            self.group.all_reduce(self.data)


class Arguments(unittest.TestCase):
    """Refused before the library is called."""

    def setUp(self):
        self.library = install(self)
        self.group = Group(5, FakeContext(), made=False)

    def refused(self, text, call, *arguments, **options):
        with self.assertRaisesRegex(ps.ArgumentError, text):
            call(*arguments, **options)
        self.assertEqual(self.library.calls, [])

    def test_counts_and_types(self):
        one, two, many = array.array("i", [1]), array.array("f", [1]), array.array("i", range(3))
        group = self.group
        self.refused("all_reduce: send has elements of INT32, out of FLOAT32", group.all_reduce, one, two)
        self.refused("all_reduce: out has 3 elements and needs 1, as many as send", group.all_reduce, one, many)
        self.refused("all_gather: out has 3 elements and needs 2", group.all_gather, one, many)
        self.refused("scatter: send has 3 elements and needs 2", group.scatter, many, array.array("i", [0]))
        self.refused("first axis of send, of shape \\(3,\\), is not 2 equal", group.reduce_scatter, many)
        self.refused("all_to_all: send has 3 elements, which is not 2 equal blocks", group.all_to_all, many, many)
        self.refused("counts has 3 entries; the group has 2 ranks", group.all_gather_v, one, [1, 2, 3])
        self.refused("cannot be negative", group.all_gather_v, one, [1, -2])
        self.refused("out has 3 elements, and its blocks end at 5", group.all_gather_v, one, [1, 2], many, [0, 3])
        self.refused("gather_v needs counts at the root", group.gather_v, one)
        self.refused("batch takes Send and Recv", group.batch, [one])
        self.refused("read-only", group.all_reduce, b"abc")
        self.refused("read-only", group.recv, b"abc", 1)
        self.library.psGroupAbort = self.library.psGroupSetTimeout = lambda *all: self.library.calls.append("called")
        self.refused("NUL character", group.abort, "a\0b")
        self.refused("give seconds > 0", group.set_timeout, 0)

    def test_a_message_is_laid_out_for_the_library(self):
        seen = []

        def batch(group, messages, count, stream, work):
            seen.extend((m.struct_size, m.direction, m.buffer, m.count, m.dtype, m.peer, m.tag) for m in messages)
            return 0

        self.library.psBatch = batch
        a, b = array.array("i", [1, 2]), array.array("d", [0])
        self.assertEqual(self.group.batch([ps.Send(a, 1, tag=3), ps.Recv(b, ps.PREV)]), [b])
        self.assertEqual(seen, [(40, 1, a.buffer_info()[0], 2, ps.INT32, 1, 3),
                                (40, 2, b.buffer_info()[0], 1, ps.FLOAT64, ps.PREV, 0)])

    def test_premul_sum_makes_an_operator_and_frees_it(self):
        seen = []

        def create(group, kind, dtype, scalar, op):
            seen.append(("create", kind, dtype, type(scalar._obj), scalar._obj.value))
            op._obj.value = 65536
            return 0

        def free(group, op):
            seen.append(("free", op.value))
            return 0

        self.library.psReduceOpCreate, self.library.psReduceOpFree = create, free
        self.group.all_reduce(array.array("f", [1]), op=ps.premul_sum(0.5))
        self.group.all_reduce(array.array("d", [1]), op=ps.premul_sum(0.1))
        self.assertEqual(seen, [("create", 12, ps.FLOAT32, ctypes.c_float, 0.5), ("free", 65536),
                                ("create", 12, ps.FLOAT64, ctypes.c_double, 0.1), ("free", 65536)])


if __name__ == "__main__":
    unittest.main()
