"""The short way of a blocking call against the general one: it takes the same memory, and leaves alone what it must."""

import array
import ctypes
import random
import sys
import unittest
import weakref
from unittest import mock

from support import alone, needs_numpy, np, ps, run_world

from parallelstate import _direct, _ndarray
from parallelstate._buffers import view

try:
    import torch
except ImportError:
    torch = None

_address = ctypes.CDLL(None)["labs"]  # gives back what it is given, passed as the library's functions are
_address.restype = ctypes.c_void_p


def direct(source):
    """What a call gets at once, or None where it goes the general way."""
    try:
        return _direct.lent_by[type(source)](source)
    except _direct.NOT_DIRECT:
        return None


class Direct(unittest.TestCase):
    def alike(self, source):
        """The general way comes first: it is what makes a type known."""
        buffer = view(source, "out", writable=True)
        general = (buffer.address, buffer.count, buffer.dtype)
        buffer.release()
        found = direct(source)
        self.assertIsNotNone(found)
        pointer, size, kind, count = found
        self.assertEqual((_address(pointer), count, kind), general)
        self.assertEqual(_address(size) or 0, count)

    def left_alone(self, *sources):
        for source in sources:
            with self.subTest(type(source)):
                self.assertIsNone(direct(source))

    def test_arrays_of_every_type(self):
        for code in "bBhHiIlLqQfd":
            with self.subTest(code):
                self.alike(array.array(code, [1, 2, 3]))
                self.alike(memoryview(array.array(code, [1, 2, 3])))
        self.left_alone(array.array("u", "abc"))

    def test_bytes_and_views(self):
        self.alike(bytearray(b"abc"))
        self.alike(bytearray())
        self.alike(memoryview(bytearray(12))[4:8])
        self.alike(memoryview(bytearray(24)).cast("d", (1, 3)))
        released = memoryview(bytearray(8))
        released.release()
        self.left_alone(b"abc", memoryview(b"abc"), memoryview(bytearray(8))[::2], released, None, [1], 3)

    def test_a_subclass_may_be_anything(self):
        class Mine(bytearray):
            pass

        class Yours(array.array):
            pass

        self.left_alone(Mine(8), Yours("f", [1]))

    @needs_numpy
    def test_numpy(self):
        for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
                     "float64", "bool"):
            with self.subTest(name):
                self.alike(np.zeros((2, 3), name))
        self.alike(np.zeros((0, 3), np.float32))
        self.alike(np.array(3.0))
        matrix, fixed = np.zeros((4, 4), np.float32), np.zeros(4, np.float32)
        fixed.flags.writeable = False
        self.alike(matrix[1:3])
        self.left_alone(matrix.T, matrix[::2], fixed, np.zeros(3, ">f4"), np.zeros(3, np.complex64), np.float32(1),
                        matrix.view(type("Mine", (np.ndarray,), {})), np.broadcast_to(np.float32(1), (3,)))

    @unittest.skipIf(torch is None or not hasattr(torch.Tensor, "is_cpu"), "needs torch")
    def test_torch(self):
        for name in ("int8", "int16", "int32", "int64", "uint8", "float16", "bfloat16", "float32", "float64", "bool"):
            with self.subTest(name):
                self.alike(torch.ones((2, 3), dtype=getattr(torch, name)))
        matrix = torch.zeros(4, 4)
        self.left_alone(matrix.T, matrix.to_sparse(), torch.zeros(3, requires_grad=True),
                        torch.nn.Parameter(matrix), torch.zeros(3, dtype=torch.complex64),
                        torch.zeros(3, device="meta"))


@needs_numpy
class Changed(unittest.TestCase):
    """What was found out about an array holds for it as it was: it may be changed, and another may take its place."""

    def alike(self, source):
        try:
            buffer = view(source, "out", writable=bool(source.size))
        except ps.ArgumentError:
            self.assertIsNone(direct(source))
            return
        if not source.flags.writeable:  # without elements, which the general way leaves it at
            self.assertIsNone(direct(source))
            return
        pointer, size, kind, count = direct(source)
        self.assertEqual((_address(pointer), _address(size) or 0, count, kind),
                         (buffer.address, buffer.count, buffer.count, buffer.dtype))

    def test_by_its_owner(self):
        x = np.zeros(6, np.float32)
        self.alike(x)
        x.resize(5)  # which numpy refuses while anything else refers to it
        self.alike(x)
        x.resize(100000, refcheck=False)
        self.alike(x)
        x.shape = (1000, 100)
        self.alike(x)
        x.dtype = np.float64
        self.alike(x)
        x.dtype = np.complex128
        self.alike(x)
        x.dtype = np.uint8
        self.alike(x)
        x.flags.writeable = False
        self.alike(x)
        x.flags.writeable = True
        self.alike(x)
        x.__setstate__(np.ones(3, np.uint8).__reduce__()[2])
        self.alike(x)

    def test_to_be_no_longer_contiguous(self):
        x = np.zeros((4, 4), np.float32)
        self.alike(x)
        direct(x)
        try:
            x.strides = (4, 16)
        except AttributeError:
            self.skipTest("this numpy has strides that stay as they are")
        self.assertIsNone(direct(x))

    def test_anothers_place(self):
        """Arrays come and go at a few addresses."""
        rolls = random.Random(1)
        kept = []
        for _ in range(3000):
            x = np.zeros(rolls.choice((0, 1, 2, 3, 4, (2, 2), 8, 4096)), rolls.choice("bBhHfdqF?") + "")
            if rolls.random() < 0.2:
                x.flags.writeable = False
            if rolls.random() < 0.2 and x.ndim == 1:
                x = x[:x.size // 2]
            self.alike(x)
            if rolls.random() < 0.1:
                kept = kept[-5:] + [x]

    def test_more_than_are_kept(self):
        several = [np.zeros(size, np.float32) for size in range(5)]
        _ndarray._seen.clear()
        with mock.patch.object(_ndarray, "_MOST", 3):
            for _ in range(3):
                for x in several:
                    self.alike(x)
                self.assertLessEqual(len(_ndarray._seen), 3)

    def test_no_array_is_kept(self):
        x = np.zeros(6, np.float32)
        before = sys.getrefcount(x)
        self.alike(x)
        self.assertEqual(sys.getrefcount(x), before)
        gone = weakref.ref(x)
        del x
        self.assertIsNone(gone())

    def test_another_interpreter_or_numpy(self):
        """Where a struct is not what it should be, arrays go the general way."""
        x = np.zeros(6, np.float32)
        self.assertTrue(_ndarray.is_as_expected(x))
        with mock.patch.object(_ndarray, "_OFFSET", _ndarray._OFFSET + 8):
            self.assertFalse(_ndarray.is_as_expected(x))
        with mock.patch.object(sys.implementation, "name", "another"):
            self.assertFalse(_ndarray.is_as_expected(x))


class Calls(unittest.TestCase):
    """The same answers the first time, by the general way, and later."""

    @needs_numpy
    def test_all_reduce(self):
        fixed = np.zeros(4, np.float32)
        fixed.flags.writeable = False
        with alone() as context:
            world, x = context.world, np.arange(4, dtype=np.float32)
            for _ in range(3):
                self.assertIs(world.all_reduce(x), x)
                self.assertIs(world.all_reduce(x, op=ps.premul_sum(1)), x)
                self.assertEqual(list(x), [0, 1, 2, 3])
                with self.assertRaisesRegex(ps.ArgumentError, "read-only"):
                    world.all_reduce(fixed)
                with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
                    world.all_reduce(np.zeros((3, 3), np.float32).T)
                with self.assertRaisesRegex(ps.ArgumentError, r"op=premul_sum\(0.5\)"):
                    world.all_reduce(x, op=ps.ReduceOp.PREMUL_SUM)
                with self.assertRaisesRegex(ps.Error, "BIT_AND|float"):
                    world.all_reduce(x, op=ps.ReduceOp.BIT_AND)
            world.close()
            with self.assertRaisesRegex(ps.StateError, "is closed"):
                world.all_reduce(x)


def calls(world, make):
    """Every operation that can be direct, as (name, arguments); `make(count)` gives a new buffer of so many."""
    n = world.size
    mine, all_of_them, root = make(2), make(2 * n), n - 1
    at_root = world.rank == root
    following, preceding = world.next, world.prev
    yield "all_reduce", (make(2), None, ps.MAX)
    yield "all_reduce", (make(2), make(2))
    yield "reduce", (make(2), None, ps.SUM, root)
    yield "reduce", (make(2), make(2), ps.MIN, root)
    yield "broadcast", (make(2), None, root)
    yield "broadcast", (make(2) if at_root else None, make(2), root)
    yield "all_gather", (mine, all_of_them)
    yield "gather", (make(2), make(2 * n) if at_root else None, root)
    yield "scatter", (make(2 * n) if at_root else None, make(2), root)
    yield "reduce_scatter", (make(2 * n), make(2), ps.SUM)
    yield "all_to_all", (make(2 * n), make(2 * n))
    yield "send_recv", (make(2), following, make(2), preceding, 7)
    if world.rank == 0:
        yield "send", (make(3), 1)
    if world.rank == 1:
        yield "recv", (make(3), 0)


class AllCalls(unittest.TestCase):
    def both_ways(self, make):
        """The same by the direct way as by the general one, which dtype= demands."""
        def contents(arguments):
            return [bytes(each) if hasattr(each, "__len__") else each for each in arguments]

        def body(context):
            world, found = context.world, []
            for kwargs in ({"dtype": ps.INT32}, {}):
                steps = []
                for name, arguments in calls(world, lambda count: make(world.rank, count)):
                    # The general way would run into this.
                    started = mock.Mock(side_effect=AssertionError(f"{name} is not direct"))
                    with mock.patch.object(world, "_start", world._start if kwargs else started):
                        result = getattr(world, name)(*arguments, **kwargs)
                    which = [each is result for each in arguments]
                    steps.append((name, which, result is None, contents(arguments)))
                found.append(steps)
            self.assertEqual(*found)

        view(make(0, 1), "send").release()  # its type is known from now on
        run_world(3, body)

    def test_arrays(self):
        self.both_ways(lambda rank, count: array.array("i", range(10 * rank, 10 * rank + count)))

    def test_views(self):
        self.both_ways(lambda rank, count: memoryview(array.array("i", range(10 * rank, 10 * rank + count))))

    @needs_numpy
    def test_numpy(self):
        self.both_ways(lambda rank, count: np.arange(10 * rank, 10 * rank + count, dtype=np.int32))

    def test_what_does_not_match(self):
        """The errors are those of the general way, and nothing stays held."""
        with alone() as context:
            world, three, four, other = (context.world, array.array("i", [1, 2, 3]), array.array("i", range(4)),
                                         array.array("f", [1, 2, 3]))
            for call, arguments, error, text in (
                    (world.all_reduce, (three, four), ps.ArgumentError, "out has 4 elements and needs 3"),
                    (world.reduce, (three, other), ps.ArgumentError, "send has elements of INT32, out of FLOAT32"),
                    (world.broadcast, (three, four), ps.ArgumentError, "out has 4 elements and needs 3"),
                    (world.all_gather, (three, four), ps.ArgumentError, "out has 4 elements and needs 3"),
                    (world.all_gather, (three, other), ps.ArgumentError, "send has elements of INT32, out of FLOAT32"),
                    (world.all_to_all, (three, four), ps.ArgumentError, "out has 4 elements and needs 3"),
                    (world.reduce_scatter, (four, three), ps.ArgumentError, "send has 4 elements and needs 3"),
                    (world.reduce_scatter, (four, four, "sum"), TypeError, "op must be a reduction"),
                    (world.gather, (three, four, 0), ps.ArgumentError, "out has 4 elements and needs 3"),
                    (world.scatter, (four, three, 0), ps.ArgumentError, "send has 4 elements and needs 3"),
                    (world.broadcast, (three, None, 1), ps.ArgumentError, "root"),
                    (world.broadcast, (three, None, "0"), TypeError, "root must be an int"),
                    (world.reduce, (three, None, ps.SUM, 1 << 32), ps.ArgumentError, "root is 4294967296"),
                    (world.send, (three, 5), ps.ArgumentError, "5"),
                    (world.send, (three, 1 << 32), ps.ArgumentError, "dst is 4294967296"),
                    (world.recv, (three, 0, 1.0), TypeError, "tag must be an int"),
                    (world.send_recv, (three, 0, other, 0), ps.ArgumentError, "INT32, out of FLOAT32")):
                for _ in range(2):
                    with self.subTest(call.__name__), self.assertRaisesRegex(error, text):
                        call(*arguments)
                    for each in (three, four, other):
                        each.append(0)
                        each.pop()
            world.close()
            for call, arguments in ((world.barrier, ()), (world.send, (three, 0)), (world.all_gather, (three, three))):
                with self.assertRaisesRegex(ps.StateError, "is closed"):
                    call(*arguments)


if __name__ == "__main__":
    unittest.main()
