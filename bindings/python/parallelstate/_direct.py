"""Buffers of the common kinds as arguments of a blocking call, by the fewest steps: where a call's time goes.

What Python adds to a call is conversions, and most of them can be left out. ctypes' `from_buffer` gives the address,
refuses what is read-only or not contiguous, and keeps the exporter from being resized, all in one step; and arguments
that are ctypes' own are passed as they are by a function without argtypes. Whatever is not at once known to be fine is
None here and goes the general way (_buffers.view), which also says what is wrong with it.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from typing import Any, Callable, Dict, Optional, Tuple

from ._constants import DataType

# The pointer as an argument, which holds the exporter; the number of elements, and their type.
Direct = Tuple[Any, int, DataType]

_pointer = ctypes.c_void_p.from_param
# A size_t is as wide as a pointer and passed as one is, and c_void_p is made in half the time of c_size_t.
size_argument = ctypes.c_void_p.from_param
# An array, since arrays are passed as their address; of no bytes, so that there is room for it in any buffer.
_memory = (ctypes.c_char * 0).from_buffer
_REFUSED = (TypeError, ValueError, BufferError)

_BY_FORMAT: Dict[str, Tuple[DataType, int]] = {
    **{code: ((DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64)[size.bit_length() - 1], size)
       for code, size in ((code, array(code).itemsize) for code in "bhilq")},
    **{code: ((DataType.UINT8, DataType.UINT16, DataType.UINT32, DataType.UINT64)[size.bit_length() - 1], size)
       for code, size in ((code, array(code).itemsize) for code in "BHILQ")},
    "f": (DataType.FLOAT32, 4), "d": (DataType.FLOAT64, 8),
}
_BY_TYPECODE: Dict[str, DataType] = {code: kind for code, (kind, _) in _BY_FORMAT.items()}

# The types of numpy arrays and of torch tensors that the general way has seen, so that neither module is imported here.
ndarray_types: Dict[Any, DataType] = {}
_tensor_types: Dict[Any, DataType] = {}


def _of_ndarray(source: Any) -> Optional[Direct]:
    kind = ndarray_types.get(source.dtype)
    if kind is None:
        return None
    try:
        return _memory(source), source.size, kind
    except _REFUSED:
        return None


def _of_tensor(source: Any) -> Optional[Direct]:
    kind = _tensor_types.get(source.dtype)
    if (kind is None or not source.is_cpu or source.layout is not _strided or source.requires_grad
            or not source.is_contiguous()):
        return None
    return _pointer(source.data_ptr()), source.numel(), kind


def _of_array(source: Any) -> Optional[Direct]:
    kind = _BY_TYPECODE.get(source.typecode)
    # The length is read after the export, which another thread cannot resize any more.
    return None if kind is None else (_memory(source), len(source), kind)


def _of_bytearray(source: Any) -> Optional[Direct]:
    return _memory(source), len(source), DataType.UINT8


def _of_memoryview(source: Any) -> Optional[Direct]:
    try:
        memory = _memory(source)
        found = _BY_FORMAT.get(source.format)
        return None if found is None else (memory, source.nbytes // found[1], found[0])
    except _REFUSED:
        return None


def unknown(source: Any) -> Optional[Direct]:
    return None


# By the exact type: a subclass may be anything.
_readers: Dict[type, Callable[[Any], Optional[Direct]]] = {
    array: _of_array, bytearray: _of_bytearray, memoryview: _of_memoryview,
}
# `reader_of(type(source), unknown)(source)` is what a call does, without a function around it, which costs as much as a
# conversion does. The result is dropped after the call, also before an error is raised.
reader_of = _readers.get
_strided: Any = None


def learn(source: Any, kind: DataType) -> None:
    """The general way found elements of type `kind` in `source`."""
    global _strided
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and type(source) is numpy.ndarray:
        ndarray_types[source.dtype] = kind
        _readers[numpy.ndarray] = _of_ndarray
    elif torch is not None and type(source) is getattr(torch, "Tensor", None) and hasattr(source, "is_cpu"):
        _tensor_types[source.dtype] = kind
        _strided = torch.strided
        _readers[torch.Tensor] = _of_tensor
