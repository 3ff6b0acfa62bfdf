"""Buffers of the common kinds as arguments of a blocking call, by the fewest steps: where a call's time goes.

What Python adds to a call is conversions, and most of them can be left out: a function without argtypes passes
arguments that are ctypes' own as they are. So a blocking operation on ordinary buffers is direct, which is always this:

    try:
        pointer, size, kind, count = lent_by[type(send)](send)
    except NOT_DIRECT:
        pass
    else:
        try:
            result = self._bare.psX(self._argument, pointer, ..., size, kind, ..., None, None)
        finally:
            del pointer  # who catches an error may resize the buffer
        if result or _dropped:
            self._ended(result)
        return send

Written out in each operation, since a function around it costs as much as a conversion. Whatever is not at once known
to be fine goes the general way (_operations, _buffers), which also says what is wrong with it.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from typing import Any, Callable, Dict, Tuple

from . import _ndarray
from ._constants import DataType
from ._ndarray import Lent

# Of a type that is not listed below, of elements that the general way has not seen yet, and what from_buffer raises.
NOT_DIRECT = (KeyError, TypeError, ValueError, BufferError)

argument = ctypes.c_void_p.from_param  # also of a size_t, see _ndarray
# Gives the address, refuses what is read-only or not contiguous, and keeps the exporter from being resized, all in one
# step. An array, since arrays are passed as their address; of no bytes, so that there is room for it in any buffer.
_memory = (ctypes.c_char * 0).from_buffer

_BY_FORMAT: Dict[str, Tuple[DataType, int]] = {
    **{code: ((DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64)[size.bit_length() - 1], size)
       for code, size in ((code, array(code).itemsize) for code in "bhilq")},
    **{code: ((DataType.UINT8, DataType.UINT16, DataType.UINT32, DataType.UINT64)[size.bit_length() - 1], size)
       for code, size in ((code, array(code).itemsize) for code in "BHILQ")},
    "f": (DataType.FLOAT32, 4), "d": (DataType.FLOAT64, 8),
}
_BY_TYPECODE: Dict[str, DataType] = {code: kind for code, (kind, _) in _BY_FORMAT.items()}

# The types of torch tensors that the general way has seen, so that torch is not imported here.
_tensor_types: Dict[Any, DataType] = {}
_strided: Any = None


def _of_tensor(source: Any) -> Lent:
    kind = _tensor_types[source.dtype]
    if not source.is_cpu or source.layout is not _strided or source.requires_grad or not source.is_contiguous():
        raise ValueError("it is not one that every call can use")
    count = source.numel()
    return argument(source.data_ptr()), argument(count), kind, count


def _of_array(source: Any) -> Lent:
    kind, memory = _BY_TYPECODE[source.typecode], _memory(source)
    count = len(source)  # after the export, as another thread cannot resize it any more
    return memory, argument(count), kind, count


def _of_bytearray(source: Any) -> Lent:
    memory = _memory(source)
    count = len(source)
    return memory, argument(count), DataType.UINT8, count


def _of_memoryview(source: Any) -> Lent:
    memory = _memory(source)
    kind, size = _BY_FORMAT[source.format]
    count = source.nbytes // size
    return memory, argument(count), kind, count


# By the exact type: a subclass may be anything. What comes out is dropped after the call, also before an error is raised.
lent_by: Dict[type, Callable[[Any], Lent]] = {
    array: _of_array, bytearray: _of_bytearray, memoryview: _of_memoryview,
}


def lent_as(kind: DataType, count: int, other: Any) -> Any:
    """The pointer of a buffer that is to have the type and the number of elements of the first one."""
    pointer, _, same, room = lent_by[type(other)](other)
    if same is not kind or room != count:
        raise ValueError("they do not match")
    return pointer


def lent_two(send: Any, out: Any) -> Tuple[Any, Any, Any, Any, DataType]:
    """Two buffers of one type: both pointers, both numbers of elements as arguments, and the type."""
    source, size, kind, _ = lent_by[type(send)](send)
    target, room, same, _ = lent_by[type(out)](out)
    if same is not kind:
        raise ValueError("they are of different types")
    return source, target, size, room, kind


def lent_pair(small: Any, large: Any, times: int) -> Tuple[Any, Any, Any, DataType, int]:
    """Two buffers of one type, the second with `times` as many elements: its pointer follows that of the first."""
    first, size, kind, count = lent_by[type(small)](small)
    second, _, same, room = lent_by[type(large)](large)
    if same is not kind or room != count * times:
        raise ValueError("they do not match")
    return first, second, size, kind, count


def lent_blocks(send: Any, out: Any, blocks: int) -> Tuple[Any, Any, Any, DataType]:
    """Two buffers of `blocks` equal blocks each: both pointers, the number of elements of a block, and their type."""
    source, target, _, kind, count = lent_pair(send, out, 1)
    each, left = divmod(count, blocks)
    if left:
        raise ValueError("they are not equal blocks")
    return source, target, argument(each), kind


def learn(source: Any, kind: DataType) -> None:
    """The general way found elements of type `kind` in `source`."""
    global _strided
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and type(source) is numpy.ndarray:
        _ndarray.types[source.dtype] = kind
        if _ndarray.is_as_expected(source):
            lent_by[numpy.ndarray] = _ndarray.lent
    elif torch is not None and type(source) is getattr(torch, "Tensor", None) and hasattr(source, "is_cpu"):
        _tensor_types[source.dtype] = kind
        _strided = torch.strided
        lent_by[torch.Tensor] = _of_tensor
