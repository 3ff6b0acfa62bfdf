"""An asynchronous operation: observes it, and keeps its buffers alive until the library has let go of them."""

from __future__ import annotations

import ctypes
import math
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Sequence, Type

from . import _handles
from ._buffers import Buffer
from ._constants import Result
from ._errors import Error
from ._library import last_error, library
from ._values import wait_ms

if TYPE_CHECKING:
    from .group import Group

# A wait is made of waits of this length, so that signal handlers (Ctrl-C) run in between.
_SLICE_MS = 200


class Work:
    """Made by an operation with async_=True. `wait` it, or leave its `with` block.

    A work that is forgotten goes on; its buffers live until it is complete.
    """

    def __init__(self, handle: int, group: "Group", buffers: Sequence[Buffer], result: Any) -> None:
        self._handle: Optional[int] = handle
        self._group = group
        self._buffers = tuple(buffers)
        self._result = result
        self._error: Optional[Error] = None
        # One thread at a time may wait; the lock also lets no thread use the handle that another one frees.
        self._lock = threading.Lock()

    def wait(self, timeout: Optional[float] = None) -> Any:
        """Waits until the data is there and returns the output; raises the operation's error.

        TimeoutError_ while `done` is still False: only this wait ran out, nothing failed, the text says who is missing.
        """
        limit = None if timeout is None else time.monotonic() + wait_ms(timeout) / 1000
        with self._lock:
            while self._handle is not None:
                slice_ms = _SLICE_MS
                if limit is not None:
                    slice_ms = min(slice_ms, max(0, math.ceil((limit - time.monotonic()) * 1000)))
                result = library().psWorkWait(self._handle, slice_ms)
                if result != Result.ERR_TIMEOUT:
                    self._finish(result)
                    break
                error = last_error(result)
                state = library().psWorkTest(self._handle)
                if state != Result.IN_PROGRESS:
                    self._finish(state)
                elif limit is not None and time.monotonic() >= limit:
                    raise error
        if self._error is not None:
            raise self._error
        return self._result

    def order(self, stream: Optional[int] = None, timeout: Optional[float] = None) -> None:
        """Later work on `stream` (a device stream's address) runs after the operation. For host memory: `wait`."""
        with self._lock:
            if self._handle is not None:
                result = library().psWorkOrder(self._handle, stream, wait_ms(timeout))
                if result >= Result.OK:
                    return
                error = last_error(result)
                state = library().psWorkTest(self._handle)
                if state == Result.IN_PROGRESS:
                    raise error
                self._finish(state)
        if self._error is not None:
            raise self._error

    def test(self) -> bool:
        """True when the data is there, False while it is in progress; raises the operation's error. Never blocks."""
        done = self.done
        if self._error is not None:
            raise self._error
        return done

    @property
    def done(self) -> bool:
        """Whether the operation is complete, with success or not. Never blocks."""
        if not self._lock.acquire(blocking=False):
            return False  # another thread is waiting for it, or about to learn the same
        try:
            if self._handle is not None:
                result = library().psWorkTest(self._handle)
                if result == Result.IN_PROGRESS:
                    return False
                self._finish(result)
            return True
        finally:
            self._lock.release()

    @property
    def error(self) -> Optional[Error]:
        """The operation's error, None while there is none."""
        self.done
        return self._error

    @property
    def result(self) -> Any:
        """The output that `wait` returns. Its contents are not defined before the operation is complete."""
        return self._result

    def close(self) -> None:
        """Waits until the library touches no buffer of it, bounded by the operation's deadline. Raises nothing."""
        with self._lock:
            if self._handle is not None:
                handle, self._handle = self._handle, None
                library().psWorkFree(handle)
                self._release()

    def _finish(self, result: int) -> None:
        """The operation is complete: keeps the error, gives back handle and buffers. The caller holds the lock."""
        handle, self._handle = self._handle, None
        if result < Result.OK:
            self._error = self._group._error(result)
            text = ctypes.c_char_p()
            if library().psWorkError(handle, ctypes.byref(text)) == Result.OK and text.value:
                self._error.args = (text.value.decode("utf-8", "replace"),)
        library().psWorkFree(handle)
        self._release()

    def _release(self) -> None:
        for buffer in self._buffers:
            buffer.release()
        self._buffers = ()

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        """Waits. When the block raised, the work is left to finish by itself instead: that error is the one to see."""
        if kind is None:
            self.wait()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            _handles.drop("psWorkFree", handle, self._buffers)

    def __repr__(self) -> str:
        state = "complete" if self._handle is None else "started"
        return f"<parallelstate.Work on {self._group.name!r}: {state}>"
