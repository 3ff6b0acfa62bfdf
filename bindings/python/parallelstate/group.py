"""A group: an ordered set of ranks, and the order of operations on it."""

from __future__ import annotations

import ctypes
import warnings
import weakref
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, List, Optional, Sequence, Tuple, Type, Union

from . import _handles
from ._collectives import Collectives
from ._constants import NO_COLOR, Flag, Result, flags, known
from ._errors import Error, StateError, error_of
from ._library import bare, check, last_error, library
from ._point_to_point import PointToPoint
from ._structs import psGroupInfo, psGroupOptions
from ._values import deadline_ms, decode, encode, int32, uint64
from .memory import Memory, Registration, allocate, refuse_while_used

if TYPE_CHECKING:
    from .context import Context


@dataclass(frozen=True)
class GroupInfo:
    """psGroupInfo. Ranks with `global` in their name are world ranks; None where the library says "none"."""

    name: str
    rank: int
    size: int
    host_count: int
    global_rank: int
    global_first: int
    global_last: int
    global_next: int
    global_prev: int
    flags: Flag
    failure: Union[Result, int]
    failed_global_rank: Optional[int]
    failure_text: str
    host_backend: Optional[str]
    device_backend: Optional[str]
    timeout: float


def group_options(name: Optional[str], backend: Optional[str], backend_options: Optional[str], timeout: Optional[float],
                  max_object_bytes: int, host_buffer_bytes: int, **chosen: bool) -> psGroupOptions:
    return psGroupOptions(
        flags=flags(**chosen), name=encode(name, "name"), backend=encode(backend, "backend"),
        backend_options=encode(backend_options, "backend_options"), timeout_ms=deadline_ms(timeout),
        max_object_bytes=uint64(max_object_bytes, "max_object_bytes"),
        host_buffer_bytes=uint64(host_buffer_bytes, "host_buffer_bytes"))


class Group(Collectives, PointToPoint):
    """Made by Context.group, Context.new_group and Group.split; close it, or use it in a `with`.

    Ranks are ranks in the group; what holds a world rank has `global` in its name.
    """

    def __init__(self, handle: int, context: "Context", made: bool) -> None:
        self._handle: Optional[int] = handle
        # The handle as calls of _bare take it; None once it is closed, like _handle.
        self._argument: Optional[Any] = ctypes.c_void_p.from_param(handle)
        self._bare = bare()
        self._context = context
        self.name = ""
        self._ranges: Any = weakref.WeakSet()  # of its memory that something looks at; see memory.py
        self._made = made  # False: one more reference to a group that the context itself holds
        info = self.info()
        self.name = info.name
        self.rank: int = info.rank
        self.size: int = info.size
        self.global_rank: int = info.global_rank
        self.global_first: int = info.global_first
        self.global_last: int = info.global_last
        self.global_next: int = info.global_next
        self.global_prev: int = info.global_prev
        self.global_ranks: Tuple[int, ...] = self._read_global_ranks()

    # ---- What it is

    @property
    def first(self) -> int:
        return 0

    @property
    def last(self) -> int:
        return self.size - 1

    @property
    def next(self) -> int:
        """The next rank in the ring of the group."""
        return (self.rank + 1) % self.size

    @property
    def prev(self) -> int:
        return (self.rank - 1) % self.size

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def is_last(self) -> bool:
        return self.rank == self.size - 1

    @property
    def failure(self) -> Optional[Error]:
        """Why the group failed, as the exception that its operations raise; None while it has not."""
        info = self.info()
        if info.failure == Result.OK:
            return None
        return error_of(int(info.failure), info.failure_text, info.failed_global_rank)

    def info(self) -> GroupInfo:
        """Everything about the group, now. Never blocks: this is also the health check."""
        raw = psGroupInfo()
        check(library().psGetGroupInfo(self._live(), ctypes.byref(raw)))
        return GroupInfo(
            name=decode(raw.name), rank=raw.rank, size=raw.size, host_count=raw.host_count, global_rank=raw.global_rank,
            global_first=raw.global_first, global_last=raw.global_last, global_next=raw.global_next,
            global_prev=raw.global_prev, flags=Flag(raw.flags), failure=known(Result, raw.failure),
            failed_global_rank=None if raw.failed_global_rank < 0 else raw.failed_global_rank,
            failure_text=decode(raw.failure_text),
            host_backend=None if raw.host_backend is None else decode(raw.host_backend),
            device_backend=None if raw.device_backend is None else decode(raw.device_backend),
            timeout=raw.timeout_ms / 1000)

    def find_global(self, global_rank: int) -> int:
        """The rank in this group of a world rank; NotFoundError when it is not a member."""
        rank = ctypes.c_int32()
        check(library().psGroupFindGlobal(self._live(), int32(global_rank, "global_rank"), ctypes.byref(rank)))
        return rank.value

    def same_host(self, source: Optional[int] = None) -> List[bool]:
        """For each member, whether it shares memory with member `source` (default: this rank)."""
        same = (ctypes.c_int32 * self.size)()
        count = ctypes.c_size_t()
        member = self.rank if source is None else int32(source, "source")
        check(library().psSameHost(self._live(), member, same, self.size, ctypes.byref(count)))
        return [bool(flag) for flag in same]

    def set_timeout(self, timeout: Optional[float]) -> None:
        """The deadline in seconds of operations that this rank starts later; None: the context's."""
        check(library().psGroupSetTimeout(self._live(), deadline_ms(timeout) or -1))

    # ---- Memory that its operations use where it is

    def allocate(self, shape: Union[int, Sequence[int]], dtype: Any = None) -> Memory:
        """Zeroed memory for each member, of equal size; all members call it. `shape` is a number or several, of bytes
        or, with `dtype`, of elements of that type (FLOAT32, numpy.float32, "float32", ...)."""
        return allocate(self, shape, dtype)

    def register(self, buffer: Any) -> Registration:
        """Lets the group's operations use `buffer` where it is; all members call it, each with a buffer of any size.

        Between processes each must be in memory of one `allocate`, on this group or on one that has all its members;
        between threads of one process any will do. None: this rank has none. UnsupportedError says whose is not.
        """
        _handles.sweep()
        return Registration(self, buffer)

    # ---- Its life

    def split(self, color: Optional[int], key: int = 0, *, name: Optional[str] = None, backend: Optional[str] = None,
              backend_options: Optional[str] = None, timeout: Optional[float] = None, max_object_bytes: int = 0,
              host_buffer_bytes: int = 0, deterministic: bool = False, own_communicator: bool = False,
              warm_up: bool = False, host_only: bool = False) -> Optional["Group"]:
        """Members with equal `color` form a group, ordered by (key, rank). All members must call it.

        color None: this rank is part of none, and the result is None.
        """
        options = group_options(name, backend, backend_options, timeout, max_object_bytes, host_buffer_bytes,
                                deterministic=deterministic, own_communicator=own_communicator, warm_up=warm_up,
                                host_only=host_only)
        _handles.sweep()
        part = ctypes.c_void_p()
        result = library().psSplitGroup(self._live(), NO_COLOR if color is None else int32(color, "color"),
                                        int32(key, "key"), ctypes.byref(options), ctypes.byref(part))
        if result < Result.OK:
            raise self._error(result)
        return None if part.value is None else Group(part.value, self._context, made=True)

    def abort(self, reason: Optional[str] = None) -> None:
        """Ends blocked calls here and on every member with AbortedError; may be called beside them. Idempotent."""
        check(library().psGroupAbort(self._live(), encode(reason, "reason")))

    def close(self) -> None:
        """Frees it and its memory. Waits for this rank's unfinished operations, and between hosts some seconds for peers
        that do not take what was sent to them; peers need not call anything, and no other thread may be in a call on it.
        A second time does nothing. BufferError while an array or view of its memory is alive: nothing was done then."""
        if self._handle is not None:
            refuse_while_used(self, f"memory of group {self.name!r}")
        handle, self._handle = self._handle, None
        self._argument = None
        if handle is not None:
            check(library().psGroupFree(handle))

    def __enter__(self) -> "Group":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is None:
            return
        self._handle = self._argument = None
        if not self._made:
            _handles.drop("psGroupFree", handle)
        elif not self._context.finalized:
            # Freeing it now would tell the peers at a time that no program decides; its context frees it at its end.
            self._context._orphans.append(handle)
            warnings.warn(f"group {self.name!r} was not closed; it stays until its context is finalized",
                          ResourceWarning, source=self)
        else:
            _handles.drop("psGroupFree", handle)

    def __repr__(self) -> str:
        state = ", closed" if self._handle is None else ""
        return f"<parallelstate.Group {self.name!r}: rank {self.rank} of {self.size}{state}>"

    def _live(self) -> int:
        if self._handle is None:
            raise StateError(f"group {self.name!r} is closed")
        return self._handle

    def _error(self, result: int) -> Error:
        error = last_error(result)
        if self._handle is not None:
            raw = psGroupInfo()
            if library().psGetGroupInfo(self._handle, ctypes.byref(raw)) == Result.OK and raw.failed_global_rank >= 0:
                error.failed_global_rank = raw.failed_global_rank
        return error

    def _read_global_ranks(self) -> Tuple[int, ...]:
        ranks: Any = (ctypes.c_int32 * self.size)()
        count = ctypes.c_size_t()
        check(library().psGroupGlobalRanks(self._live(), ranks, self.size, ctypes.byref(count)))
        return tuple(ranks)
