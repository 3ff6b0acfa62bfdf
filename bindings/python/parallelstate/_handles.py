"""What garbage collection leaves behind.

A finalizer may run inside any call of any thread, so it must neither wait nor touch that thread's error text. It puts
the handle aside here; the next call that starts something frees what can be freed without waiting.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Deque, Tuple

from ._constants import Result
from ._library import library

# Name of the function that frees, the handle, and what must live as long as the handle is not freed.
_dropped: Deque[Tuple[str, int, Any]] = deque()


def drop(free: str, handle: int, kept: Any = None) -> None:
    """For finalizers: `handle` is nobody's any more. Never blocks."""
    _dropped.append((free, handle, kept))


def sweep() -> None:
    """Frees dropped handles. A work that is still in progress stays, and with it its buffers."""
    for _ in range(len(_dropped)):
        try:
            free, handle, kept = _dropped.popleft()
        except IndexError:
            return
        if free == "psWorkFree" and library().psWorkTest(handle) == Result.IN_PROGRESS:
            _dropped.append((free, handle, kept))
        else:
            getattr(library(), free)(handle)
