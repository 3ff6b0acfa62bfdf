"""The short way of a blocking call against the general one: it takes the same memory, and leaves alone what it must."""

import array
import ctypes
import unittest

from support import alone, needs_numpy, np, ps

from parallelstate import _direct
from parallelstate._buffers import view

try:
    import torch
except ImportError:
    torch = None

_address = ctypes.CDLL(None)["labs"]  # gives back what it is given, passed as the library's functions are
_address.restype = ctypes.c_void_p


def direct(source):
    return _direct.reader_of(type(source), _direct.unknown)(source)


class Direct(unittest.TestCase):
    def alike(self, source):
        """The general way comes first: it is what makes a type known."""
        buffer = view(source, "out", writable=True)
        general = (buffer.address, buffer.count, buffer.dtype)
        buffer.release()
        found = direct(source)
        self.assertIsNotNone(found)
        pointer, count, kind = found
        self.assertEqual((_address(pointer), count, kind), general)
        self.assertEqual(_address(_direct.size_argument(count)) or 0, count)

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


if __name__ == "__main__":
    unittest.main()
