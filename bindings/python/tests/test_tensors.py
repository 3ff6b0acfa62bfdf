"""Tensors of other libraries as buffers: torch's by its methods, others by DLPack. Needs no library, and no torch:
stand-ins show the protocol, and the real ones are tried where they are installed.
"""

import array
import ctypes
import gc
import unittest
import weakref

from support import alone, np, ps

from parallelstate import _dlpack
from parallelstate._buffers import allocate, view

try:
    import torch
except ImportError:
    torch = None
try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_new_capsule.restype = ctypes.py_object


class Exporter:
    """Four elements, two by two, by DLPack alone."""

    def __init__(self, code=2, bits=32, device=(1, 0), strides=None, flags=None, lanes=1, major=1):
        self.memory = bytearray(64)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.shape, self.strides = (ctypes.c_int64 * 2)(2, 2), strides and (ctypes.c_int64 * 2)(*strides)
        self.device, self.flags = device, flags
        tensor = _dlpack._Tensor(data=self.address, device_type=1, ndim=2, code=code, bits=bits, lanes=lanes,
                                 shape=self.shape, strides=self.strides, byte_offset=8)
        self.managed = tensor if flags is None else _dlpack._Versioned(major=major, flags=flags, tensor=tensor)

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        if self.flags is None:
            if options:
                raise TypeError("from before version 1")
            return _new_capsule(ctypes.addressof(self.managed), b"dltensor", None)
        assert options == {"max_version": (1, 0), "copy": False}
        return _new_capsule(ctypes.addressof(self.managed), b"dltensor_versioned", None)


class DLPack(unittest.TestCase):
    def test_both_forms(self):
        for flags in (None, 0):
            exporter = Exporter(flags=flags)
            buffer = view(exporter, "out", writable=True)
            self.assertEqual((buffer.address, buffer.count, buffer.shape, buffer.dtype),
                             (exporter.address + 8, 4, (2, 2), ps.FLOAT32))

    def test_types(self):
        for (code, bits), kind in (((0, 64), ps.INT64), ((1, 8), ps.UINT8), ((4, 16), ps.BFLOAT16), ((6, 8), ps.BOOL),
                                   ((10, 8), ps.FLOAT8_E4M3), ((12, 8), ps.FLOAT8_E5M2)):
            self.assertEqual(view(Exporter(code, bits), "send").dtype, kind)
        for code, bits, lanes in ((5, 64, 1), (2, 32, 2), (0, 4, 1), (8, 8, 1)):
            with self.assertRaisesRegex(ps.ArgumentError, f"DLPack code {code}, {bits} bits.*no psDataType is"):
                view(Exporter(code, bits, lanes=lanes), "send")

    def test_lives_as_long_as_the_buffer(self):
        exporter = Exporter()
        gone = weakref.ref(exporter)
        buffer = view(exporter, "send")
        del exporter
        gc.collect()
        self.assertIsNotNone(gone())
        buffer.release()
        gc.collect()
        self.assertIsNone(gone())

    def test_device_memory_is_named(self):
        for device, name in (((2, 1), "CUDA 1"), ((10, 0), "ROCm 0"), ((77, 0), "DLPack device type 77 0")):
            with self.assertRaisesRegex(ps.ArgumentError, rf"send is device memory \(Exporter on {name}\).*on host"):
                view(Exporter(device=device), "send")

    def test_what_is_refused(self):
        with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
            view(Exporter(strides=(1, 2)), "send")
        view(Exporter(strides=(2, 1)), "send")
        view(Exporter(flags=_dlpack._READ_ONLY), "send")
        with self.assertRaisesRegex(ps.ArgumentError, "Exporter is read-only"):
            view(Exporter(flags=_dlpack._READ_ONLY), "out", writable=True)
        with self.assertRaisesRegex(ps.ArgumentError, "exported by DLPack 2.0"):
            view(Exporter(flags=0, major=2), "send")

    @unittest.skipIf(np is None, "needs numpy")
    def test_an_array_is_made_of_its_type(self):
        self.assertEqual(allocate((3,), view(Exporter(), "send"), "all_gather").dtype, np.float32)
        bfloat16 = view(Exporter(4, 16), "send")
        if ml_dtypes is None:
            with self.assertRaisesRegex(ps.ArgumentError, r"pip install parallelstate\[ml_dtypes\]"):
                allocate((3,), bfloat16, "all_gather")
        else:
            self.assertEqual(allocate((3,), bfloat16, "all_gather").dtype, ml_dtypes.bfloat16)

    @unittest.skipIf(np is None, "needs numpy")
    def test_numpy_itself(self):
        class Bare:
            def __init__(self):
                self.array = np.arange(3, dtype=np.int16)
                self.__dlpack__, self.__dlpack_device__ = self.array.__dlpack__, self.array.__dlpack_device__

        bare = Bare()
        buffer = view(bare, "out", writable=True)
        self.assertEqual((buffer.address, buffer.dtype), (bare.array.ctypes.data, ps.INT16))


class StandIn:
    """What this binding asks of a torch tensor."""

    __module__ = "torch"
    layout = "torch.strided"
    shape = (2, 2)

    class Device:
        type = "cpu"

        def __str__(self):
            return f"{self.type}:0"

    def __init__(self, dtype="torch.bfloat16", size=2):
        self.dtype, self.size, self.device, self.requires_grad = dtype, size, self.Device(), False
        self.memory = array.array("d", [0] * 4)
        self.contiguous = True

    def data_ptr(self):
        return self.memory.buffer_info()[0]

    def element_size(self):
        return self.size

    def is_contiguous(self):
        return self.contiguous

    def numel(self):
        return 4

    def new_empty(self, shape):
        return "a tensor", shape


class Torch(unittest.TestCase):
    def test_a_tensor(self):
        for dtype, size, kind in (("bfloat16", 2, ps.BFLOAT16), ("float8_e4m3fn", 1, ps.FLOAT8_E4M3),
                                  ("float8_e5m2", 1, ps.FLOAT8_E5M2), ("bool", 1, ps.BOOL), ("int64", 8, ps.INT64)):
            tensor = StandIn(f"torch.{dtype}", size)
            buffer = view(tensor, "out", writable=True)
            self.assertEqual((buffer.address, buffer.count, buffer.shape, buffer.dtype),
                             (tensor.data_ptr(), 4, (2, 2), kind))
            self.assertEqual(allocate((8, 2), buffer, "all_gather"), ("a tensor", (8, 2)))
        self.assertEqual(view(StandIn("torch.int16"), "send", dtype=ps.BFLOAT16).dtype, ps.BFLOAT16)

    def test_what_is_refused(self):
        tensor = StandIn()
        tensor.device.type = "cuda"
        with self.assertRaisesRegex(ps.ArgumentError, r"device memory \(StandIn on cuda:0\)"):
            view(tensor, "send")
        tensor = StandIn()
        tensor.contiguous = False
        with self.assertRaisesRegex(ps.ArgumentError, r"not C-contiguous.*tensor\.contiguous\(\)"):
            view(tensor, "send")
        tensor = StandIn()
        tensor.requires_grad = True
        view(tensor, "send")
        with self.assertRaisesRegex(ps.ArgumentError, r"requires gradients.*pass tensor\.detach\(\)"):
            view(tensor, "out", writable=True)
        with self.assertRaisesRegex(ps.ArgumentError, "torch.complex64, which no psDataType is"):
            view(StandIn("torch.complex64", 8), "send")

    @unittest.skipIf(torch is None, "needs torch")
    def test_real_tensors(self):
        with alone() as context:
            tensor = torch.tensor([[1, 2], [3, 4]], dtype=torch.bfloat16)
            self.assertIs(context.world.all_reduce(tensor), tensor)
            gathered = context.world.all_gather(tensor)
            self.assertTrue(torch.equal(gathered, tensor))
            with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
                context.world.all_reduce(tensor.T)
            for name in ("int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64", "bool"):
                self.assertEqual(view(torch.zeros(3, dtype=getattr(torch, name)), "send").dtype,
                                 ps.DataType[name.upper()])


if __name__ == "__main__":
    unittest.main()
