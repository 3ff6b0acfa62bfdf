"""The memory of Python objects, in place: `__array_interface__`, torch tensors, the buffer protocol, then DLPack.

`__array_interface__` goes first: types of an extension (bfloat16, float8) cannot be exported as a buffer, but numpy
names them. Nothing is ever copied; what would need a copy is refused with the reason.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import sys
from typing import Any, Dict, Optional, Tuple

from . import _direct, _dlpack, _ndarray
from ._constants import DataType
from ._errors import ArgumentError

# By the names of numpy, ml_dtypes and torch. Its float8_e4m3 and float8_e4m3fnuz are other formats and are left out.
_BY_NAME: Dict[str, DataType] = {
    "int8": DataType.INT8, "int16": DataType.INT16, "int32": DataType.INT32, "int64": DataType.INT64,
    "uint8": DataType.UINT8, "uint16": DataType.UINT16, "uint32": DataType.UINT32, "uint64": DataType.UINT64,
    "float16": DataType.FLOAT16, "bfloat16": DataType.BFLOAT16, "float32": DataType.FLOAT32,
    "float64": DataType.FLOAT64, "float8_e4m3fn": DataType.FLOAT8_E4M3, "float8_e5m2": DataType.FLOAT8_E5M2,
    "bool": DataType.BOOL,
}
_BY_KIND: Dict[Tuple[str, int], DataType] = {
    ("i", 1): DataType.INT8, ("i", 2): DataType.INT16, ("i", 4): DataType.INT32, ("i", 8): DataType.INT64,
    ("u", 1): DataType.UINT8, ("u", 2): DataType.UINT16, ("u", 4): DataType.UINT32, ("u", 8): DataType.UINT64,
    ("f", 2): DataType.FLOAT16, ("f", 4): DataType.FLOAT32, ("f", 8): DataType.FLOAT64, ("b", 1): DataType.BOOL,
}
_KIND_OF_FORMAT: Dict[str, str] = {
    **dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQNc", "u"), **dict.fromkeys("efd", "f"), "?": "b",
}
_FOREIGN_ORDER = ">" if sys.byteorder == "little" else "<"


class Buffer:
    """An address, a number of elements and their type, and what keeps them where they are."""

    __slots__ = ("address", "count", "dtype", "shape", "source", "export")

    def __init__(self, address: Optional[int], count: int, dtype: Optional[DataType], shape: Tuple[int, ...],
                 source: Any, export: Optional[memoryview]) -> None:
        self.address = address
        self.count = count
        self.dtype = dtype  # None for an empty buffer whose type is not known
        self.shape = shape
        self.source = source
        self.export = export  # an exporter such as bytearray cannot be resized while this lives

    def release(self) -> None:
        if self.export is not None:
            self.export.release()
            self.export = None
        self.source = None


class _PyBuffer(ctypes.Structure):
    """Py_buffer of the C API, for the address: ctypes' own from_buffer refuses read-only memory."""

    _fields_ = [
        ("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [ctypes.py_object, ctypes.POINTER(_PyBuffer), ctypes.c_int]
_get_buffer.restype = ctypes.c_int
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = [ctypes.POINTER(_PyBuffer)]
_release_buffer.restype = None


def _address_of(exported: memoryview) -> Optional[int]:
    raw = _PyBuffer()
    _get_buffer(exported, ctypes.byref(raw), 0)
    address: Optional[int] = raw.buf
    _release_buffer(ctypes.byref(raw))
    return address


def view(source: Any, what: str, writable: bool = False, dtype: Optional[DataType] = None) -> Buffer:
    """The memory of `source`, whose part in the call is `what`. `dtype` says what its elements are instead of it."""
    if dtype is not None and not isinstance(dtype, DataType):
        raise TypeError(f"dtype must be a parallelstate.DataType such as parallelstate.BFLOAT16, not {dtype!r}")
    if source is None:
        return Buffer(None, 0, dtype, (0,), None, None)
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(source) is numpy.ndarray:
        # The common case, without what is slow: numpy makes the interface and a type's name anew each time.
        known = _ndarray.types.get(source.dtype)
        flags = source.flags
        if known is not None and dtype is None and flags.c_contiguous and (flags.writeable or not writable):
            return Buffer(source.__array_interface__["data"][0], source.size, known, source.shape, source, None)
    own = getattr(source, "_buffer_of_call", None)
    if hasattr(source, "__cuda_array_interface__"):
        raise _dlpack.on_device(what, source, "CUDA")
    if numpy is not None and isinstance(source, numpy.generic):
        raise TypeError(f"{what} is a numpy scalar, which has no memory of its own; pass numpy.array([value])")
    interface = getattr(source, "__array_interface__", None)
    if own is not None:  # a Memory
        lent: Buffer = own()
        found = lent, False, source.dtype.size, source.dtype.name
    elif isinstance(interface, dict) and isinstance(interface.get("data"), tuple):
        found = _from_interface(source, interface, what)
    elif type(source).__module__.partition(".")[0] == "torch" and hasattr(source, "data_ptr"):
        found = _from_torch(source, what, writable)
    else:
        found = _from_buffer_protocol(source, what)
    buffer, readonly, itemsize, described = found
    if writable and readonly and buffer.count:
        buffer.release()
        raise ArgumentError(f"{what} is written by this call, but this {type(source).__name__} is read-only")
    if dtype is not None:
        if itemsize != dtype.size:
            buffer.release()
            raise ArgumentError(f"{what} has elements of {itemsize} bytes ({described}); "
                                f"dtype {dtype.name} needs {dtype.size}")
        buffer.dtype = dtype
    elif buffer.dtype is not None:
        _direct.learn(source, buffer.dtype)
    else:
        buffer.release()
        raise ArgumentError(f"{what} has elements of type {described}, which no psDataType is; convert it, or say with "
                            f"dtype= what its elements are")
    return buffer


def _from_interface(source: Any, interface: Dict[str, Any], what: str) -> Tuple[Buffer, bool, int, str]:
    typestr: str = interface["typestr"]
    shape = tuple(int(extent) for extent in interface["shape"])
    itemsize = int(typestr[2:].partition("[")[0])  # a time has its unit behind: "<M8[s]"
    count = math.prod(shape)
    strides = interface.get("strides")
    if strides is not None and count:
        expected = itemsize
        for extent, stride in zip(reversed(shape), reversed(strides)):
            if extent != 1 and stride != expected:
                raise _not_contiguous(source, what)
            expected *= extent
    name = getattr(getattr(source, "dtype", None), "name", None)
    described = str(name or typestr)
    found = _BY_NAME.get(described)
    if found is None and typestr[1] != "V":
        found = _BY_KIND.get((typestr[1], itemsize))
    if typestr[0] == _FOREIGN_ORDER and itemsize > 1:
        found, described = None, f"{described} in foreign byte order"
    address, readonly = interface["data"]
    try:
        export: Optional[memoryview] = memoryview(source)
    except (TypeError, ValueError, BufferError):
        export = None
    return Buffer(int(address), count, found, shape, source, export), bool(readonly), itemsize, described


def _from_buffer_protocol(source: Any, what: str) -> Tuple[Buffer, bool, int, str]:
    try:
        exported = memoryview(source)
    except TypeError:
        if hasattr(source, "__dlpack__") and hasattr(source, "__dlpack_device__"):
            return _from_dlpack(source, what)
        raise TypeError(f"{what} is a {type(source).__name__}, which has no memory to work on; pass a numpy array, or "
                        f"anything else with __array_interface__, the buffer protocol or __dlpack__") from None
    if not exported.c_contiguous:
        exported.release()
        raise _not_contiguous(source, what)
    code = exported.format
    kind = _KIND_OF_FORMAT.get(code.lstrip("@=<>!"), "")
    found = _BY_KIND.get((kind, exported.itemsize))
    described = repr(code)
    if code[:1] in (_FOREIGN_ORDER, "!") and exported.itemsize > 1:
        found, described = None, f"{described} in foreign byte order"
    count = exported.nbytes // exported.itemsize
    shape = tuple(exported.shape or ())
    buffer = Buffer(_address_of(exported), count, found, shape, source, exported)
    return buffer, exported.readonly, exported.itemsize, described


def _from_torch(source: Any, what: str, writable: bool) -> Tuple[Buffer, bool, int, str]:
    """A torch tensor says all by its methods, and the types that DLPack cannot carry too."""
    if source.device.type != "cpu":
        raise _dlpack.on_device(what, source, str(source.device))
    if str(source.layout) != "torch.strided" or not source.is_contiguous():
        raise _not_contiguous(source, what)
    if writable and source.requires_grad:
        raise ArgumentError(f"{what} is written by this call, but this {type(source).__name__} requires gradients, "
                            f"which would not know of it; pass tensor.detach()")
    described = str(source.dtype)
    found = _BY_NAME.get(described.rpartition(".")[2])
    count = int(source.numel())
    address = int(source.data_ptr()) if count else None
    return (Buffer(address, count, found, tuple(source.shape), source, None), False, int(source.element_size()),
            described)


def _from_dlpack(source: Any, what: str) -> Tuple[Buffer, bool, int, str]:
    found = _dlpack.export(source, what)
    if not found.contiguous:
        raise _not_contiguous(source, what)
    count = math.prod(found.shape)
    buffer = Buffer(found.address if count else None, count, found.dtype, found.shape, (source, found.keeper), None)
    return buffer, found.readonly, found.itemsize, found.described


def _not_contiguous(source: Any, what: str) -> ArgumentError:
    return ArgumentError(f"{what} is a {type(source).__name__} that is not C-contiguous (a slice or a transposed "
                         f"view), and buffers are used in place; pass a contiguous copy (numpy.ascontiguousarray, "
                         f"tensor.contiguous())")


_NUMPY_NAMES = {found: name for name, found in _BY_NAME.items()}


def allocate(shape: Tuple[int, ...], like: Buffer, call: str) -> Any:
    """A new array of `shape` with the elements of `like`, for a call without `out`: a tensor for one, else numpy's."""
    if like.source is None:
        raise ArgumentError(f"{call} has neither a send buffer nor out=, so its result has no known type; pass out=")
    if hasattr(like.source, "new_empty"):
        return like.source.new_empty(shape)
    try:
        numpy = importlib.import_module("numpy")
    except ImportError:
        raise ArgumentError(f"{call} without out= makes a numpy array, and numpy is not installed; pass out=") from None
    kind = getattr(like.source, "dtype", None)
    if not isinstance(kind, numpy.dtype):
        try:
            kind = numpy.asarray(memoryview(like.source)).dtype
        except TypeError:  # exported by DLPack
            kind = numpy_type(numpy, like.dtype, call)
    return numpy.empty(shape, dtype=kind)


def data_type_of(kind: Any) -> DataType:
    """The DataType of what names one: itself, or a type of numpy, torch or ml_dtypes, or its name."""
    if isinstance(kind, DataType):
        return kind
    name = str(getattr(kind, "name", getattr(kind, "__name__", kind))).rpartition(".")[2]
    if name not in _BY_NAME:
        raise ArgumentError(f"{kind!r} names no psDataType; these are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def numpy_type(numpy: Any, dtype: Optional[DataType], call: str) -> Any:
    assert dtype is not None
    name = _NUMPY_NAMES[dtype]
    try:
        return numpy.dtype(name)
    except TypeError:
        pass
    try:
        return numpy.dtype(getattr(importlib.import_module("ml_dtypes"), name))
    except ImportError:
        raise ArgumentError(f"{call} without out= makes a numpy array of {name}, which needs the package ml_dtypes "
                            f"(pip install parallelstate[ml_dtypes]); or pass out=") from None
