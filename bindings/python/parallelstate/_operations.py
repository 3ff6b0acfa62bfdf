"""What every operation on a group shares: starting it, turning its arguments into buffers, reductions."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Sequence, Tuple, Union

from ._buffers import Buffer, view
from ._constants import DataType, ReduceOp, Result
from ._errors import ArgumentError, Error
from ._handles import sweep
from ._library import check, last_error, library
from ._values import int32
from .work import Work


@dataclass(frozen=True)
class PremulSum:
    """The sum of each rank's input times that rank's scalar; floating types only."""

    scalar: float


def premul_sum(scalar: float) -> PremulSum:
    """A reduction that multiplies this rank's input by `scalar` first. Each rank uses its own."""
    return PremulSum(float(scalar))


Reduction = Union[ReduceOp, PremulSum]


def is_constant(op: Any) -> bool:
    """Whether `op` is one that the library takes as it is."""
    return type(op) is ReduceOp and op is not ReduceOp.PREMUL_SUM


class Operations:
    """Base of Group. `_live` gives the handle or raises, `_error` makes the exception of a failed call."""

    size: int
    rank: int
    _argument: Optional[Any]
    _bare: Any

    def _live(self) -> int:
        raise NotImplementedError

    def _error(self, result: int) -> Error:
        return last_error(result)

    def _ended(self, result: int) -> None:
        """After a direct call (see _direct) that failed, or where there is something to sweep."""
        error = self._error(result) if result < Result.OK else None
        sweep()  # after the error's text was read, which this may replace
        if result == Result.ERR_ARGUMENT:
            self._live()  # a closed group has passed NULL
        if error is not None:
            raise error

    def _start(self, name: str, arguments: Sequence[Any], buffers: Sequence[Buffer], output: Any, async_: bool) -> Any:
        """Calls `name` on the group: returns `output` when the data is there, or the Work that will."""
        sweep()
        function = getattr(library(), name)
        if not async_:
            try:
                result = function(self._live(), *arguments, None)
                if result < Result.OK:
                    raise self._error(result)
                return output
            finally:
                for buffer in buffers:
                    buffer.release()
        handle = ctypes.c_void_p()
        result = function(self._live(), *arguments, ctypes.byref(handle))
        if result < Result.OK:
            raise self._error(result)
        assert handle.value is not None
        return Work(handle.value, self, buffers, output)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def _reduction(self, op: Reduction, dtype: Optional[DataType]) -> Iterator[int]:
        """The psReduceOp of `op`. One that was made for the call is freed after it: operations in flight keep it."""
        if not isinstance(op, PremulSum):
            if op == ReduceOp.PREMUL_SUM:
                raise ArgumentError("PREMUL_SUM is made with its scalar: op=premul_sum(0.5)")
            if not isinstance(op, int):
                raise TypeError(f"op must be a reduction (SUM, MAX, ..., premul_sum(0.5)), not {type(op).__name__}")
            yield int32(op, "op")
            return
        if dtype is None:
            raise ArgumentError("premul_sum needs a buffer or dtype= to know the type of its scalar")
        scalar = (ctypes.c_double if dtype == DataType.FLOAT64 else ctypes.c_float)(op.scalar)
        made = ctypes.c_int32()
        check(library().psReduceOpCreate(self._live(), ReduceOp.PREMUL_SUM, dtype, ctypes.byref(scalar),
                                         ctypes.byref(made)))
        try:
            yield made.value
        finally:
            library().psReduceOpFree(self._live(), made)

    def _pair(self, send: Any, recv: Any, call: str, dtype: Optional[DataType]) -> Tuple[Buffer, Buffer, DataType]:
        """Both buffers of a call, and the type that they agree on."""
        if recv is send and send is not None:
            both = view(send, f"{call} in place: the buffer", writable=True, dtype=dtype)
            assert both.dtype is not None
            return both, both, both.dtype
        source = view(send, f"{call}: send", dtype=dtype)
        target = view(recv, f"{call}: out", writable=True, dtype=dtype)
        return source, target, common_type(call, source, target)


def common_type(call: str, source: Buffer, target: Buffer) -> DataType:
    """The element type of the two; an empty buffer agrees with every type."""
    if source.dtype is None or target.dtype is None:
        return source.dtype or target.dtype or DataType.UINT8
    if source.dtype != target.dtype:
        raise ArgumentError(f"{call}: send has elements of {source.dtype.name}, out of {target.dtype.name}; "
                            f"they must be the same, nothing is converted")
    return source.dtype


def expect_count(call: str, what: str, buffer: Buffer, count: int, why: str) -> None:
    if buffer.count != count:
        raise ArgumentError(f"{call}: {what} has {buffer.count} elements and needs {count}, {why}")
