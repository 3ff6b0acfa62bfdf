"""Messages between two ranks of a group. Ranks are ranks in the group; NEXT and PREV are its ring neighbours."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, List, Literal, Optional, Sequence, Union, overload

from ._buffers import Buffer, view
from ._constants import DataType, Direction
from ._direct import NOT_DIRECT, lent_by, lent_two
from ._errors import ArgumentError
from ._handles import _dropped
from ._operations import Operations, common_type
from ._structs import psMessage
from ._values import int32, is_int32
from .work import Work


@dataclass(frozen=True)
class Send:
    """One message of Group.batch."""

    buffer: Any
    dst: int
    tag: int = 0
    dtype: Optional[DataType] = None


@dataclass(frozen=True)
class Recv:
    """One message of Group.batch."""

    buffer: Any
    src: int
    tag: int = 0
    dtype: Optional[DataType] = None


class PointToPoint(Operations):
    """Send and receive. A message matches by (source, destination, tag), in order, and waits for nothing else."""

    @overload
    def send(self, buffer: Any, dst: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
             async_: Literal[True]) -> Work: ...

    @overload
    def send(self, buffer: Any, dst: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
             async_: bool = ...) -> Any: ...

    def send(self, buffer: Any, dst: int, tag: int = 0, dtype: Optional[DataType] = None,
             async_: bool = False) -> Any:
        """May return before the message is received; never rely on it."""
        if dtype is None and not async_ and is_int32(dst) and is_int32(tag):
            try:
                pointer, size, kind, _ = lent_by[type(buffer)](buffer)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psSend(self._argument, pointer, size, kind, dst, tag, None, None)
                finally:
                    del pointer
                if result or _dropped:
                    self._ended(result)
                return buffer
        source = view(buffer, "send: buffer", dtype=dtype)
        return self._start("psSend", (source.address, source.count, source.dtype or DataType.UINT8,
                                      int32(dst, "dst"), int32(tag, "tag"), None),
                           (source,), buffer, async_)

    @overload
    def recv(self, buffer: Any, src: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
             async_: Literal[True]) -> Work: ...

    @overload
    def recv(self, buffer: Any, src: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
             async_: bool = ...) -> Any: ...

    def recv(self, buffer: Any, src: int, tag: int = 0, dtype: Optional[DataType] = None,
             async_: bool = False) -> Any:
        """Fills `buffer` and returns it. Count and type must be the sender's."""
        if dtype is None and not async_ and is_int32(src) and is_int32(tag):
            try:
                pointer, size, kind, _ = lent_by[type(buffer)](buffer)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psRecv(self._argument, pointer, size, kind, src, tag, None, None)
                finally:
                    del pointer
                if result or _dropped:
                    self._ended(result)
                return buffer
        target = view(buffer, "recv: buffer", writable=True, dtype=dtype)
        return self._start("psRecv", (target.address, target.count, target.dtype or DataType.UINT8,
                                      int32(src, "src"), int32(tag, "tag"), None),
                           (target,), buffer, async_)

    @overload
    def send_recv(self, send: Any, dst: int, out: Any, src: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: Literal[True]) -> Work: ...

    @overload
    def send_recv(self, send: Any, dst: int, out: Any, src: int, tag: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: bool = ...) -> Any: ...

    def send_recv(self, send: Any, dst: int, out: Any, src: int, tag: int = 0, dtype: Optional[DataType] = None,
                  async_: bool = False) -> Any:
        """Both at once, free of deadlock in a ring: `group.send_recv(x, ps.NEXT, y, ps.PREV)`."""
        if dtype is None and not async_ and is_int32(dst) and is_int32(src) and is_int32(tag):
            try:
                source, target, size, room, kind = lent_two(send, out)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psSendRecv(self._argument, source, size, dst, target, room, src, kind, tag,
                                                   None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        source = view(send, "send_recv: send", dtype=dtype)
        target = view(out, "send_recv: out", writable=True, dtype=dtype)
        common = common_type("send_recv", source, target)
        arguments = (source.address, source.count, int32(dst, "dst"), target.address, target.count, int32(src, "src"),
                     common, int32(tag, "tag"), None)
        return self._start("psSendRecv", arguments, (source, target), out, async_)

    @overload
    def batch(self, messages: Sequence[Union[Send, Recv]], *, async_: Literal[True]) -> Work: ...

    @overload
    def batch(self, messages: Sequence[Union[Send, Recv]], *, async_: bool = ...) -> Any: ...

    def batch(self, messages: Sequence[Union[Send, Recv]], *, async_: bool = False) -> Any:
        """All messages start together. Returns the receive buffers, in the order of the messages."""
        array = (psMessage * len(messages))()
        buffers: List[Buffer] = []
        received: List[Any] = []
        for entry, message in zip(array, messages):
            if isinstance(message, Send):
                direction, peer = Direction.SEND, message.dst
            elif isinstance(message, Recv):
                direction, peer = Direction.RECV, message.src
                received.append(message.buffer)
            else:
                raise ArgumentError(f"batch takes Send and Recv of parallelstate, not {type(message).__name__}")
            what = f"batch: message {len(buffers)}"
            buffer = view(message.buffer, what, writable=direction == Direction.RECV, dtype=message.dtype)
            buffers.append(buffer)
            entry.struct_size = ctypes.sizeof(psMessage)
            entry.direction = direction
            entry.buffer = buffer.address
            entry.count = buffer.count
            entry.dtype = buffer.dtype or DataType.UINT8
            entry.peer = int32(peer, f"{what}: peer")
            entry.tag = int32(message.tag, f"{what}: tag")
        return self._start("psBatch", (array, len(messages), None), buffers, received, async_)
