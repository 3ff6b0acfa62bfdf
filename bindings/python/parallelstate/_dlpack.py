"""The memory of objects that export it by DLPack alone, without a module of their own being imported.

The structs are those of dlpack.h, both as of version 1 and as before. The capsule is never marked as consumed, so that
it frees the exported tensor when it is dropped; the Buffer that is made of it keeps it.
"""

from __future__ import annotations

import ctypes
from typing import Any, Dict, NamedTuple, Optional, Tuple

from ._constants import DataType
from ._errors import ArgumentError

CPU = 1
_DEVICES = {2: "CUDA", 3: "CUDA host", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 11: "ROCm host",
            13: "CUDA managed", 14: "oneAPI"}

_KINDS: Dict[Tuple[int, int], DataType] = {
    (0, 8): DataType.INT8, (0, 16): DataType.INT16, (0, 32): DataType.INT32, (0, 64): DataType.INT64,
    (1, 8): DataType.UINT8, (1, 16): DataType.UINT16, (1, 32): DataType.UINT32, (1, 64): DataType.UINT64,
    (2, 16): DataType.FLOAT16, (2, 32): DataType.FLOAT32, (2, 64): DataType.FLOAT64, (4, 16): DataType.BFLOAT16,
    (6, 8): DataType.BOOL, (10, 8): DataType.FLOAT8_E4M3, (12, 8): DataType.FLOAT8_E5M2,
}
_READ_ONLY = 1
_IS_COPIED = 2


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p), ("flags", ctypes.c_uint64), ("tensor", _Tensor),
    ]


_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.argtypes = [ctypes.py_object, ctypes.c_char_p]
_is_valid.restype = ctypes.c_int
_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
_get_pointer.restype = ctypes.c_void_p


class Exported(NamedTuple):
    """What an object exported; `keeper` must live as long as the address is used."""

    address: int
    shape: Tuple[int, ...]
    contiguous: bool
    dtype: Optional[DataType]  # None: `described` is no psDataType
    itemsize: int
    described: str
    readonly: bool
    keeper: Any


def on_device(what: str, source: Any, device: str) -> ArgumentError:
    return ArgumentError(f"{what} is device memory ({type(source).__name__} on {device}); this version works on host "
                         f"memory only: numpy arrays, CPU tensors and the like. Pass a copy on the host")


def export(source: Any, what: str) -> Exported:
    device_type, device_id = source.__dlpack_device__()
    if device_type != CPU:
        raise on_device(what, source, f"{_DEVICES.get(device_type, f'DLPack device type {device_type}')} {device_id}")
    try:
        try:
            capsule = source.__dlpack__(max_version=(1, 0), copy=False)
        except TypeError:  # from before version 1
            capsule = source.__dlpack__()
    except (BufferError, ValueError, RuntimeError) as error:
        raise ArgumentError(f"{what} is a {type(source).__name__} that does not export its memory: {error}") from None
    flags = 0
    if _is_valid(capsule, b"dltensor_versioned"):
        versioned = _Versioned.from_address(_get_pointer(capsule, b"dltensor_versioned"))
        if versioned.major != 1:
            raise ArgumentError(f"{what} is exported by DLPack {versioned.major}.{versioned.minor}, and this binding "
                                f"knows 1.x and what was before")
        flags, tensor = versioned.flags, versioned.tensor
    else:
        tensor = _Tensor.from_address(_get_pointer(capsule, b"dltensor"))
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    return Exported(
        address=(tensor.data or 0) + tensor.byte_offset, shape=shape, contiguous=_is_contiguous(tensor, shape),
        dtype=_KINDS.get((tensor.code, tensor.bits)) if tensor.lanes == 1 else None,
        itemsize=tensor.bits * tensor.lanes // 8,
        described=f"DLPack code {tensor.code}, {tensor.bits} bits, {tensor.lanes} lanes",
        readonly=bool(flags & (_READ_ONLY | _IS_COPIED)), keeper=capsule)


def _is_contiguous(tensor: _Tensor, shape: Tuple[int, ...]) -> bool:
    if not tensor.strides or 0 in shape:
        return True
    expected = 1
    for axis in reversed(range(tensor.ndim)):
        if shape[axis] != 1 and tensor.strides[axis] != expected:
            return False
        expected *= shape[axis]
    return True
