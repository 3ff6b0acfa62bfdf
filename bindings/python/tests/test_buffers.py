"""What counts as a buffer, where its memory is, and what is refused. Needs no library."""

import array
import ctypes
import unittest

from support import needs_numpy, np, ps

from parallelstate._buffers import allocate, view

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None


class BufferProtocol(unittest.TestCase):
    def test_bytearray_is_uint8_in_place(self):
        data = bytearray(b"abc")
        buffer = view(data, "send", writable=True)
        self.assertEqual((buffer.count, buffer.dtype), (3, ps.UINT8))
        ctypes.memset(buffer.address, ord("z"), 3)
        self.assertEqual(data, b"zzz")

    def test_types_of_array(self):
        for code, kind in (("b", ps.INT8), ("h", ps.INT16), ("i", ps.INT32), ("q", ps.INT64), ("l", ps.INT64),
                           ("B", ps.UINT8), ("H", ps.UINT16), ("I", ps.UINT32), ("Q", ps.UINT64), ("f", ps.FLOAT32),
                           ("d", ps.FLOAT64)):
            with self.subTest(code):
                data = array.array(code, [1, 2, 3])
                buffer = view(data, "send")
                self.assertEqual((buffer.count, buffer.dtype, buffer.address), (3, kind, data.buffer_info()[0]))

    def test_exporter_cannot_be_resized_until_release(self):
        data = array.array("i", [1, 2])
        buffer = view(data, "send", writable=True)
        with self.assertRaises(BufferError):
            data.append(3)
        buffer.release()
        data.append(3)

    def test_read_only_is_an_input_only(self):
        self.assertEqual(view(b"abc", "send").count, 3)
        with self.assertRaisesRegex(ps.ArgumentError, "out is written by this call, but this bytes is read-only"):
            view(b"abc", "out", writable=True)

    def test_slices_with_a_step_are_refused(self):
        with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
            view(memoryview(bytearray(8))[::2], "send")

    def test_objects_without_memory_are_refused(self):
        for wrong in ([1, 2], 3, 1.5, "text"):
            with self.subTest(wrong), self.assertRaisesRegex(TypeError, "no memory to work on"):
                view(wrong, "send")

    def test_none_is_empty(self):
        buffer = view(None, "send", writable=True)
        self.assertEqual((buffer.address, buffer.count, buffer.dtype), (None, 0, None))

    def test_ctypes_arrays(self):
        data = (ctypes.c_double * 4)()
        buffer = view(data, "out", writable=True)
        self.assertEqual((buffer.count, buffer.dtype, buffer.address), (4, ps.FLOAT64, ctypes.addressof(data)))

    def test_device_memory_is_named(self):
        class OnDevice:
            __cuda_array_interface__ = {"data": (1, False)}

        with self.assertRaisesRegex(ps.ArgumentError, "device memory"):
            view(OnDevice(), "send")

    def test_what_has_only_the_interface(self):
        memory = (ctypes.c_int32 * 3)()

        class Bare:
            __array_interface__ = {"version": 3, "shape": (3,), "typestr": "<i4",
                                   "data": (ctypes.addressof(memory), False)}

        buffer = view(Bare(), "out", writable=True)
        self.assertEqual((buffer.count, buffer.dtype, buffer.address), (3, ps.INT32, ctypes.addressof(memory)))


@needs_numpy
class Numpy(unittest.TestCase):
    def test_types(self):
        for name, kind in (("int8", ps.INT8), ("int16", ps.INT16), ("int32", ps.INT32), ("int64", ps.INT64),
                           ("uint8", ps.UINT8), ("uint16", ps.UINT16), ("uint32", ps.UINT32), ("uint64", ps.UINT64),
                           ("float16", ps.FLOAT16), ("float32", ps.FLOAT32), ("float64", ps.FLOAT64),
                           ("bool", ps.BOOL)):
            with self.subTest(name):
                data = np.zeros((2, 3), dtype=name)
                for _ in range(2):  # the second time the type is known
                    buffer = view(data, "send", writable=True)
                    self.assertEqual((buffer.count, buffer.dtype, buffer.shape), (6, kind, (2, 3)))
                    self.assertEqual(buffer.address, data.ctypes.data)
                with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
                    view(data.T, "send")
                data.flags.writeable = False
                with self.assertRaisesRegex(ps.ArgumentError, "read-only"):
                    view(data, "out", writable=True)

    def test_types_without_a_counterpart_are_refused(self):
        for name in ("complex64", "S4", "datetime64[s]", "longdouble", [("a", "i4")], ">f4"):
            with self.subTest(name), self.assertRaisesRegex(ps.ArgumentError, "which no psDataType is"):
                view(np.zeros(2, dtype=name), "send")

    def test_dtype_says_what_the_elements_are(self):
        self.assertEqual(view(np.zeros(2, np.uint16), "send", dtype=ps.BFLOAT16).dtype, ps.BFLOAT16)
        self.assertEqual(view(np.zeros(2, np.uint8), "send", dtype=ps.FLOAT8_E5M2).dtype, ps.FLOAT8_E5M2)
        with self.assertRaisesRegex(ps.ArgumentError, "dtype BFLOAT16 needs 2"):
            view(np.zeros(2, np.float32), "send", dtype=ps.BFLOAT16)

    @unittest.skipIf(ml_dtypes is None, "needs ml_dtypes")
    def test_types_of_ml_dtypes(self):
        for name, kind in (("bfloat16", ps.BFLOAT16), ("float8_e4m3fn", ps.FLOAT8_E4M3),
                           ("float8_e5m2", ps.FLOAT8_E5M2)):
            with self.subTest(name):
                data = np.zeros(5, dtype=getattr(ml_dtypes, name))
                self.assertEqual(view(data, "send", writable=True).dtype, kind)
                self.assertEqual(allocate((2,), view(data, "send"), "all_gather").dtype, data.dtype)
        with self.assertRaises(ps.ArgumentError):
            view(np.zeros(5, dtype=ml_dtypes.float8_e4m3b11fnuz), "send")

    def test_types_of_an_extension_are_known_by_name(self):
        # As ml_dtypes has them: numpy knows no more than a name and a size.
        for name, kind, size in (("bfloat16", ps.BFLOAT16, 2), ("float8_e4m3fn", ps.FLOAT8_E4M3, 1),
                                 ("float8_e5m2", ps.FLOAT8_E5M2, 1)):
            memory = np.zeros(3, f"V{size}")

            class Array:
                dtype = type("Type", (), {"name": name})
                __array_interface__ = memory.__array_interface__

            self.assertEqual(view(Array(), "out", writable=True).dtype, kind)

    def test_views_that_are_not_contiguous_are_refused(self):
        matrix = np.zeros((4, 4), np.float32)
        for wrong in (matrix[:, 1], matrix.T, matrix[::2], np.broadcast_to(np.float32(1), (3,))):
            with self.assertRaisesRegex(ps.ArgumentError, "not C-contiguous"):
                view(wrong, "send")
        for right in (matrix[1], matrix[1:3], matrix[:, :], matrix[:1, 1:3], np.zeros((0, 3))[:, ::2]):
            view(right, "send")

    def test_read_only_arrays_are_inputs_only(self):
        data = np.zeros(3, np.float32)
        data.flags.writeable = False
        self.assertEqual(view(data, "send").count, 3)
        with self.assertRaisesRegex(ps.ArgumentError, "read-only"):
            view(data, "out", writable=True)

    def test_scalars_are_refused(self):
        # Their interface points to a temporary copy.
        with self.assertRaisesRegex(TypeError, "numpy scalar"):
            view(np.float32(3), "send")

    def test_zero_dimensions(self):
        self.assertEqual(view(np.array(3.0), "send").count, 1)
        self.assertEqual(view(np.zeros((0, 4)), "send").count, 0)


if __name__ == "__main__":
    unittest.main()
