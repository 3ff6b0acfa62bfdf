"""Memory that all members of a group reach, and buffers that are registered with one.

The library frees memory that views may still show: numpy arrays, tensors, memoryviews. So every view hangs on an object
of its own, a `_Range`, which the group knows by a weak reference: what is still looked at is not freed. And every range
keeps its group, which keeps the mapping.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import math
import operator
import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Sequence, Tuple, Type, Union

from . import _handles
from ._buffers import Buffer, data_type_of, numpy_type, view
from ._constants import DataType, DeviceType, Result
from ._errors import ArgumentError, StateError
from ._library import library
from ._values import uint64

if TYPE_CHECKING:
    from .group import Group


def new_range(address: int, nbytes: int, group: "Group") -> Any:
    """The bytes as an object that exports them and can be referred to weakly."""
    kind: Any = type("_Range", (ctypes.c_ubyte * nbytes,), {"__hash__": object.__hash__})
    made = kind.from_address(address)
    made.address, made.group = address, group
    group._ranges.add(made)
    return made


def refuse_while_used(group: "Group", what: str, address: Optional[int] = None) -> None:
    """BufferError while something looks at memory of the group: at this piece, or at any."""
    for _ in range(2):
        used = [each for each in group._ranges if address is None or each.address == address]
        if not used:
            return
        del used
        _handles.sweep()
        gc.collect()  # what a cycle holds is nobody's any more
    raise BufferError(f"{what} is still used by arrays, views or operations of it; `del` them first, or copy what is to "
                      f"stay")


def check_of(group: "Group", result: int) -> None:
    if result < Result.OK:
        raise group._error(result)


class Memory:
    """Zeroed memory of this rank that all members of the group reach; made by Group.allocate.

    Every operation takes it as a buffer. `array` is a numpy array of it, `buffer` a memoryview. Close it on all ranks,
    once nothing looks at it any more; else it stays until its group is closed.
    """

    def __init__(self, group: "Group", shape: Tuple[int, ...], dtype: DataType) -> None:
        self._address: Optional[int] = None
        self.group = group
        self.shape = shape
        self.dtype = dtype
        self.nbytes: int = math.prod(shape) * dtype.size
        address = ctypes.c_void_p()
        check_of(group, library().psMemAlloc(group._live(), uint64(self.nbytes, "the size in bytes"), DeviceType.HOST,
                                             ctypes.byref(address)))
        self._address = address.value

    @property
    def closed(self) -> bool:
        return self._address is None or self.group._handle is None

    @property
    def buffer(self) -> memoryview:
        """The bytes, writable."""
        return memoryview(self._range()).cast("B")

    @property
    def array(self) -> Any:
        """A numpy array of the shape and type that allocate was given, in this memory."""
        numpy = importlib.import_module("numpy")
        kind = numpy_type(numpy, self.dtype, "Memory.array")
        return numpy.ndarray(self.shape, dtype=kind, buffer=memoryview(self._range()))

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        own = self.array
        if dtype is not None and own.dtype != dtype:
            return own.astype(dtype)
        return own.copy() if copy else own

    def __buffer__(self, flags: int) -> memoryview:
        """memoryview(memory), with Python 3.12 and newer."""
        return self.buffer

    def _buffer_of_call(self) -> Buffer:
        own = self._range()
        return Buffer(own.address if self.nbytes else None, math.prod(self.shape), self.dtype, self.shape, self,
                      memoryview(own))

    def _range(self) -> Any:
        if self.closed:
            raise StateError(f"this memory of group {self.group.name!r} is closed")
        assert self._address is not None
        return new_range(self._address, self.nbytes, self.group)

    def close(self) -> None:
        """Frees it, on all members in the same order. A second time, or after its group is closed, it does nothing.

        BufferError while an array or view of it is alive: nothing was done then.
        """
        if self.closed:
            return
        refuse_while_used(self.group, f"this memory of group {self.group.name!r}", self._address)
        check_of(self.group, library().psMemFree(self.group._live(), self._address))
        self._address = None

    def __enter__(self) -> "Memory":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        """Closes it. When the block raised, it is left to the group: the others may not come to free it."""
        if kind is None:
            self.close()

    def __del__(self) -> None:
        # Freeing it would need the other members at a time that no program decides.
        if getattr(self, "_address", None) is not None and self.group._handle is not None:
            warnings.warn(f"memory of group {self.group.name!r} was not closed; it stays until its group is closed",
                          ResourceWarning, source=self)

    def __repr__(self) -> str:
        state = ", closed" if self.closed else ""
        return f"<parallelstate.Memory of {self.group.name!r}: {self.shape} {self.dtype.name}{state}>"


class Registration:
    """A buffer that the group's operations use where it is; made by Group.register, ended by close on all ranks."""

    def __init__(self, group: "Group", source: Any) -> None:
        self._buffer: Optional[Buffer] = None
        self.group = group
        buffer = view(source, "register: the buffer", writable=True, dtype=None)
        nbytes = buffer.count * (buffer.dtype.size if buffer.dtype is not None else 0)
        # The library knows ranges by where they begin; one without bytes begins somewhere too.
        self._empty = ctypes.c_ubyte()
        self._address: int = buffer.address if nbytes and buffer.address else ctypes.addressof(self._empty)
        try:
            check_of(group, library().psGroupRegister(group._live(), self._address, nbytes))
        except BaseException:
            buffer.release()
            raise
        self._buffer = buffer

    @property
    def closed(self) -> bool:
        return self._buffer is None or self.group._handle is None

    def close(self) -> None:
        """The group no longer uses it in place; all members call it in the same order. A second time it does nothing."""
        buffer = self._buffer
        if buffer is None:
            return
        if self.group._handle is not None:
            check_of(self.group, library().psGroupDeregister(self.group._live(), self._address))
        self._buffer = None
        buffer.release()

    def __enter__(self) -> "Registration":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if kind is None:
            self.close()

    def __repr__(self) -> str:
        state = ", closed" if self.closed else ""
        return f"<parallelstate.Registration on {self.group.name!r}{state}>"


def allocate(group: "Group", shape: Union[int, Sequence[int]], dtype: Any) -> Memory:
    _handles.sweep()
    extents = (shape,) if isinstance(shape, int) else tuple(shape)
    extents = tuple(operator.index(extent) for extent in extents)
    if any(extent < 0 for extent in extents):
        raise ArgumentError(f"allocate: {shape!r} is no shape; extents cannot be negative")
    return Memory(group, extents, DataType.UINT8 if dtype is None else data_type_of(dtype))
