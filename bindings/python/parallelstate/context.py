"""A context: one rank of one world."""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Type, Union

from . import _handles, _logging
from ._constants import CheckMode, LogLevel, RankState, Result, flags, known
from ._errors import Error, StateError, error_of
from ._library import check, last_error, library
from ._structs import psConfig, psModelParallelOptions, psRankInfo, psWorldInfo
from ._values import deadline_ms, decode, encode, int32, take_json, uint64
from .group import Group, group_options
from .layout import Layout, spec_for
from .store import Store

# Contexts that are not finalized. They are kept until the interpreter exits: finalizing talks to peers, and when that
# happens is for the program to say, not for the garbage collector.
_living: Set["Context"] = set()


@dataclass(frozen=True)
class WorldInfo:
    """psWorldInfo; None where the library says "none"."""

    rank: int
    world_size: int
    local_rank: int
    local_size: int
    node: int
    node_count: int
    replica: int
    replica_count: int
    device_index: Optional[int]
    failure: Union[Result, int]
    failed_global_rank: Optional[int]
    failure_text: str
    layout_spec: Optional[str]
    worker_suffix: str


@dataclass(frozen=True)
class RankInfo:
    """psRankInfo; `silent` is in seconds."""

    state: Union[RankState, int]
    node: int
    local_rank: int
    pid: int
    device_index: Optional[int]
    hostname: str
    address: str
    silent: float


def init(rank: Optional[int] = None, world_size: Optional[int] = None, *, local_rank: int = 0, local_size: int = 0,
         replica: int = 0, replica_count: int = 0, rendezvous: Optional[str] = None, job: Optional[str] = None,
         secret: Optional[str] = None, network: Optional[str] = None, device: Optional[str] = None,
         backend: Optional[str] = None, dispatch: Optional[str] = None, plugins: Optional[str] = None,
         nccl_library: Optional[str] = None, log: Optional[_logging.LogFunction] = None,
         timeout: Optional[float] = None, init_timeout: Optional[float] = None, max_object_bytes: int = 0,
         host_buffer_bytes: int = 0, log_level: Optional[LogLevel] = None, check_mode: Optional[CheckMode] = None,
         deterministic: bool = False, warm_up: bool = False, host_only: bool = False,
         allow_unauthenticated: bool = False, use_environment: bool = True, share_device: bool = False) -> "Context":
    """Joins the world; returns on all ranks once all have arrived.

    Without arguments everything comes from the environment of `psctl run`, torchrun, mpirun or srun; without one, it is
    rank 0 of 1. Give `rank` and `world_size` together. `timeout` (of operations) and `init_timeout` (of this call) are
    seconds. `warm_up` connects the world's group now. `log` is called with (level, text) from any thread; it must not call the library.
    """
    if (rank is None) != (world_size is None):
        raise TypeError("give rank and world_size together, or neither to have both from the environment")
    number = None if log is None else _logging.register(log)
    try:
        config = psConfig(
            flags=flags(deterministic=deterministic, warm_up=warm_up, host_only=host_only,
                        allow_unauthenticated=allow_unauthenticated, no_environment=not use_environment,
                        share_device=share_device),
            rank=int32(rank or 0, "rank"), world_size=int32(world_size or 0, "world_size"),
            local_rank=int32(local_rank, "local_rank"), local_size=int32(local_size, "local_size"),
            replica=int32(replica, "replica"), replica_count=int32(replica_count, "replica_count"),
            rendezvous=encode(rendezvous, "rendezvous"), job=encode(job, "job"),
            secret=encode(secret, "secret"), network=encode(network, "network"), device=encode(device, "device"),
            backend=encode(backend, "backend"), dispatch=encode(dispatch, "dispatch"),
            plugins=encode(plugins, "plugins"), nccl_library=encode(nccl_library, "nccl_library"),
            timeout_ms=deadline_ms(timeout), init_timeout_ms=deadline_ms(init_timeout, "init_timeout"),
            max_object_bytes=uint64(max_object_bytes, "max_object_bytes"),
            host_buffer_bytes=uint64(host_buffer_bytes, "host_buffer_bytes"),
            log_level=int32(log_level or 0, "log_level"), check_mode=int32(check_mode or 0, "check_mode"))
        if number is not None:
            config.log = _logging.CALLBACK
            config.log_user = number
        _handles.sweep()
        handle = ctypes.c_void_p()
        check(library().psInit(ctypes.byref(config), ctypes.byref(handle)))
        assert handle.value is not None
        return Context(handle.value, number)
    except BaseException:
        _logging.unregister(number)
        raise


class Context:
    """Made by `init`. Use it in a `with`, or finalize it; what is left is finalized when the interpreter exits."""

    def __init__(self, handle: int, log_number: Optional[int] = None) -> None:
        self._handle: Optional[int] = handle
        self._log_number = log_number
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._orphans: List[int] = []  # groups that were forgotten; see Group.__del__
        self._world: Optional[Group] = None
        self._store: Optional[Store] = None
        _living.add(self)
        info = self.world_info()
        self.rank: int = info.rank
        self.world_size: int = info.world_size
        self.local_rank: int = info.local_rank
        self.local_size: int = info.local_size
        self.node: int = info.node
        self.node_count: int = info.node_count
        self.replica: int = info.replica
        self.replica_count: int = info.replica_count
        self.device_index: Optional[int] = info.device_index

    def world_info(self) -> WorldInfo:
        raw = psWorldInfo()
        check(library().psGetWorldInfo(self._live(), ctypes.byref(raw)))
        return WorldInfo(
            rank=raw.rank, world_size=raw.world_size, local_rank=raw.local_rank, local_size=raw.local_size,
            node=raw.node, node_count=raw.node_count, replica=raw.replica, replica_count=raw.replica_count,
            device_index=None if raw.device_index < 0 else raw.device_index, failure=known(Result, raw.failure),
            failed_global_rank=None if raw.failed_global_rank < 0 else raw.failed_global_rank,
            failure_text=decode(raw.failure_text),
            layout_spec=None if raw.layout_spec is None else decode(raw.layout_spec),
            worker_suffix=decode(raw.worker_suffix))

    def rank_info(self, global_rank: int) -> RankInfo:
        """One rank's host, process and state."""
        raw = psRankInfo()
        check(library().psGetRankInfo(self._live(), int32(global_rank, "global_rank"), ctypes.byref(raw)))
        return RankInfo(
            state=known(RankState, raw.state), node=raw.node, local_rank=raw.local_rank, pid=raw.pid,
            device_index=None if raw.device_index < 0 else raw.device_index, hostname=decode(raw.hostname),
            address=decode(raw.address), silent=raw.silent_ms / 1000)

    def describe(self) -> Dict[str, Any]:
        """Configuration, ranks, hosts, groups, memory and last operations. Works on a failed context too."""
        json = ctypes.c_void_p()
        check(library().psDescribe(self._live(), ctypes.byref(json)))
        return dict(take_json(json))

    @property
    def failure(self) -> Optional[Error]:
        """Why the context failed (abort only), None while it has not."""
        info = self.world_info()
        if info.failure == Result.OK:
            return None
        return error_of(int(info.failure), info.failure_text, info.failed_global_rank)

    # ---- What hangs on it

    @property
    def world(self) -> Group:
        """The group of all ranks; the same object each time."""
        with self._lock:
            if self._world is None or self._world._handle is None:
                self._world = self.group("world")
            return self._world

    @property
    def store(self) -> Store:
        """The world's store; the same object each time."""
        with self._lock:
            if self._store is None or self._store._handle is None:
                handle = ctypes.c_void_p()
                check(library().psGetStore(self._live(), ctypes.byref(handle)))
                assert handle.value is not None
                self._store = Store(handle.value)
            return self._store

    def group(self, name: str = "world") -> Group:
        """A reference to a group of the context by its name; NotFoundError lists what exists."""
        _handles.sweep()
        handle = ctypes.c_void_p()
        check(library().psGetGroup(self._live(), encode(name, "name"), ctypes.byref(handle)))
        assert handle.value is not None
        return Group(handle.value, self, made=False)

    def new_group(self, global_ranks: Sequence[int], *, name: Optional[str] = None, backend: Optional[str] = None,
                  backend_options: Optional[str] = None, timeout: Optional[float] = None, max_object_bytes: int = 0,
                  host_buffer_bytes: int = 0, deterministic: bool = False, own_communicator: bool = False,
                  warm_up: bool = False, host_only: bool = False) -> Group:
        """A group of the listed world ranks, in that order. Only they call this, all with the same list and options."""
        options = group_options(name, backend, backend_options, timeout, max_object_bytes, host_buffer_bytes,
                                deterministic=deterministic, own_communicator=own_communicator, warm_up=warm_up,
                                host_only=host_only)
        _handles.sweep()
        members = [int32(rank, "a member of global_ranks") for rank in global_ranks]
        ranks = (ctypes.c_int32 * len(members))(*members)
        handle = ctypes.c_void_p()
        check(library().psNewGroup(self._live(), ranks, len(members), ctypes.byref(options), ctypes.byref(handle)))
        assert handle.value is not None
        return Group(handle.value, self, made=True)

    # ---- Model-parallel state: the groups of a layout

    def init_model_parallel(self, layout: Union[str, Layout, None] = None, *, backend_options: Optional[str] = None,
                            timeout: Optional[float] = None, deterministic: bool = False, warm_up: bool = False,
                            host_only: bool = False) -> None:
        """Makes all groups of the layout, a spec or a Layout (None: that of PS_LAYOUT); `group` then gives them by name.
        All ranks call it.

        `backend_options` is per name, "tp:key=value;dp:..."; `timeout` the deadline of their operations. MismatchError
        when ranks differ, StateError when there is a layout already.
        """
        self._form("psInitModelParallel", layout, backend_options, timeout, deterministic=deterministic,
                   warm_up=warm_up, host_only=host_only)

    def ensure_model_parallel(self, layout: Union[str, Layout, None] = None, *, backend_options: Optional[str] = None,
                              timeout: Optional[float] = None, deterministic: bool = False, warm_up: bool = False,
                              host_only: bool = False) -> None:
        """`init_model_parallel` where there is no layout yet. Nothing where there is this one, StateError with the
        difference where there is another."""
        self._form("psEnsureModelParallel", layout, backend_options, timeout, deterministic=deterministic,
                   warm_up=warm_up, host_only=host_only)

    def is_model_parallel_initialized(self) -> bool:
        initialized = ctypes.c_int32()
        check(library().psModelParallelIsInitialized(self._live(), ctypes.byref(initialized)))
        return bool(initialized.value)

    def destroy_model_parallel(self) -> None:
        """Drops the groups of the layout; those that `group` gave stay until they are closed, or nobody has them any
        more. Waits as Group.close does. Without a layout it does nothing; another may follow."""
        _handles.sweep()  # what a program forgot of them goes first
        check(library().psDestroyModelParallel(self._live()))

    @contextmanager
    def model_parallel(self, layout: Union[str, Layout, None] = None, *, backend_options: Optional[str] = None,
                       timeout: Optional[float] = None, deterministic: bool = False, warm_up: bool = False,
                       host_only: bool = False) -> Iterator[Layout]:
        """The groups of a layout for a block: `with context.model_parallel("sglang:tp=2,pp=2") as layout:`."""
        self.init_model_parallel(layout, backend_options=backend_options, timeout=timeout,
                                 deterministic=deterministic, warm_up=warm_up, host_only=host_only)
        try:
            yield layout if isinstance(layout, Layout) else Layout(self.world_info().layout_spec or "", self.world_size)
        except BaseException:
            try:
                self.destroy_model_parallel()
            except Error:
                pass  # what ended the block says more
            raise
        if not self.finalized:
            self.destroy_model_parallel()

    def _form(self, function: str, layout: Union[str, Layout, None], backend_options: Optional[str],
              timeout: Optional[float], **chosen: bool) -> None:
        options = psModelParallelOptions(
            flags=flags(**chosen), backend_options=encode(backend_options, "backend_options"),
            timeout_ms=deadline_ms(timeout))
        _handles.sweep()
        check(getattr(library(), function)(self._live(), spec_for(layout, self.world_size), ctypes.byref(options)))

    # ---- Its end

    @property
    def finalized(self) -> bool:
        return self._handle is None

    def abort(self, reason: Optional[str] = None) -> None:
        """Fails every group of the context that exists, on all members, with AbortedError and the reason. Idempotent."""
        check(library().psAbort(self._live(), encode(reason, "reason")))

    def finalize(self) -> None:
        """Leaves the world; ends calls that are blocked in other threads. Peers need not call anything; it waits some
        seconds at most on the rank that hosts the store, and for each communicator whose peers are busy with what is theirs.

        A second time does nothing.
        """
        with self._lock:
            handle, self._handle = self._handle, None
            self._world = self._store = None
        if handle is None:
            return
        _living.discard(self)
        result = library().psFinalize(handle)
        error = last_error(result) if result < Result.OK else None
        while self._orphans:
            library().psGroupFree(self._orphans.pop())
        _handles.sweep()
        _logging.unregister(self._log_number)
        if error is not None:
            raise error

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        try:
            self.finalize()
        except Error:
            if kind is None:
                raise

    def __repr__(self) -> str:
        state = ", finalized" if self.finalized else ""
        return f"<parallelstate.Context: rank {self.rank} of {self.world_size}{state}>"

    def _live(self) -> int:
        if self._handle is None:
            raise StateError("the context is finalized")
        return self._handle


@atexit.register
def _finalize_the_living() -> None:
    for context in list(_living):
        if context._pid != os.getpid():
            continue  # a child of fork(): the world is the parent's
        try:
            context.finalize()
        except Error:
            pass  # the peers know by then; nobody is left here to be told
