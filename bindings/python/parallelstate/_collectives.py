"""The collectives. All members call the same ones in the same order.

The buffers are flat sequences of elements to the library; counts and offsets are in elements, whatever the shape. A
result that is allocated here (`out=None`) is a numpy array with the ranks' parts joined along its first axis.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, Sequence, Tuple, overload

from ._buffers import Buffer, allocate, view
from ._constants import DataType, ReduceOp
from ._direct import NOT_DIRECT, lent_as, lent_blocks, lent_by, lent_pair
from ._errors import ArgumentError
from ._handles import _dropped
from ._operations import Operations, Reduction, common_type, expect_count, is_constant
from ._values import int32, size_array
from .work import Work

_SUM = ReduceOp.SUM


def _joined(shape: Tuple[int, ...], size: int) -> Tuple[int, ...]:
    return (size * shape[0], *shape[1:]) if shape else (size,)


class Collectives(Operations):
    """All take dtype= (what the elements are, where the buffer cannot say) and async_= (return a Work at once).

    By name, as the overloads say. The functions themselves do not insist, since Python would look for both in each call.
    """

    @overload
    def all_reduce(self, send: Any, out: Any = ..., op: Reduction = ..., *, dtype: Optional[DataType] = ...,
                   async_: Literal[True]) -> Work: ...

    @overload
    def all_reduce(self, send: Any, out: Any = ..., op: Reduction = ..., *, dtype: Optional[DataType] = ...,
                   async_: bool = ...) -> Any: ...

    def all_reduce(self, send: Any, out: Any = None, op: Reduction = ReduceOp.SUM, dtype: Optional[DataType] = None,
                   async_: bool = False) -> Any:
        """Reduces over the ranks; in place without `out`."""
        if dtype is None and not async_ and (op is _SUM or is_constant(op)):
            try:
                source, size, kind, count = lent_by[type(send)](send)
                target = source if out is None else lent_as(kind, count, out)
            except NOT_DIRECT:
                source = target = None  # what the general way refuses may be resized
            else:
                try:
                    result = self._bare.psAllReduce(self._argument, source, target, size, kind, op, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return send if out is None else out
        recv = send if out is None else out
        source, target, common = self._pair(send, recv, "all_reduce", dtype)
        expect_count("all_reduce", "out", target, source.count, "as many as send")
        with self._reduction(op, common) as code:
            arguments = (source.address, target.address, source.count, common, code, None)
            return self._start("psAllReduce", arguments, (source, target), recv, async_)

    @overload
    def reduce(self, send: Any, out: Any = ..., op: Reduction = ..., root: int = ..., *,
               dtype: Optional[DataType] = ..., async_: Literal[True]) -> Work: ...

    @overload
    def reduce(self, send: Any, out: Any = ..., op: Reduction = ..., root: int = ..., *,
               dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def reduce(self, send: Any, out: Any = None, op: Reduction = ReduceOp.SUM, root: int = 0,
               dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """Reduces to `root`, there in place without `out`. Elsewhere `out` is not used and the result is None."""
        if (dtype is None and not async_ and (op is _SUM or is_constant(op))
                and type(root) is int and 0 <= root < self.size):
            try:
                source, size, kind, count = lent_by[type(send)](send)
                if self.rank == root:
                    target, recv = (source, send) if out is None else (lent_as(kind, count, out), out)
                else:
                    target = recv = None
            except NOT_DIRECT:
                source = target = None  # what the general way refuses may be resized
            else:
                try:
                    result = self._bare.psReduce(self._argument, source, target, size, kind, op, root, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return recv
        if self.rank == root:
            recv = send if out is None else out
            source, target, common = self._pair(send, recv, "reduce", dtype)
            expect_count("reduce", "out", target, source.count, "as many as send")
        else:
            recv = None
            source, target, common = self._pair(send, None, "reduce", dtype)
        with self._reduction(op, common) as code:
            arguments = (source.address, target.address, source.count, common, code, int32(root, "root"), None)
            return self._start("psReduce", arguments, (source, target), recv, async_)

    @overload
    def broadcast(self, send: Any, out: Any = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: Literal[True]) -> Work: ...

    @overload
    def broadcast(self, send: Any, out: Any = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: bool = ...) -> Any: ...

    def broadcast(self, send: Any, out: Any = None, root: int = 0, dtype: Optional[DataType] = None,
                  async_: bool = False) -> Any:
        """Copies root's `send` to every rank's `out`; without `out`, `send` itself is what the others receive into."""
        recv = send if out is None else out
        if dtype is None and not async_ and type(root) is int and 0 <= root < self.size:
            try:
                target, size, kind, count = lent_by[type(recv)](recv)
                source = target if self.rank != root or recv is send else lent_as(kind, count, send)
            except NOT_DIRECT:
                source = target = None  # what the general way refuses may be resized
            else:
                try:
                    result = self._bare.psBroadcast(self._argument, source, target, size, kind, root, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return recv
        source = view(send if self.rank == root else None, "broadcast: send", dtype=dtype)
        if self.rank == root and recv is send:
            # The root of a broadcast in place only reads: read-only memory will do.
            target = view(recv, "broadcast: out", dtype=dtype)
        else:
            target = view(recv, "broadcast: out", writable=True, dtype=dtype)
        common = common_type("broadcast", source, target)
        if self.rank == root:
            expect_count("broadcast", "out", target, source.count, "as many as send")
        arguments = (source.address, target.address, target.count, common, int32(root, "root"), None)
        return self._start("psBroadcast", arguments, (source, target), recv, async_)

    @overload
    def all_gather(self, send: Any, out: Any = ..., *, dtype: Optional[DataType] = ...,
                   async_: Literal[True]) -> Work: ...

    @overload
    def all_gather(self, send: Any, out: Any = ..., *, dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def all_gather(self, send: Any, out: Any = None, dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """Every rank's `send`, in group order, on every rank. In place: `send` is the own block of `out`."""
        if dtype is None and not async_:
            try:
                source, target, size, kind, _ = lent_pair(send, out, self.size)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psAllGather(self._argument, source, target, size, kind, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        source, target, common, out = self._gathered("all_gather", send, out, dtype)
        arguments = (source.address, target.address, source.count, common, None)
        return self._start("psAllGather", arguments, (source, target), out, async_)

    @overload
    def all_gather_v(self, send: Any, counts: Sequence[int], out: Any = ..., offsets: Optional[Sequence[int]] = ..., *,
                     dtype: Optional[DataType] = ..., async_: Literal[True]) -> Work: ...

    @overload
    def all_gather_v(self, send: Any, counts: Sequence[int], out: Any = ..., offsets: Optional[Sequence[int]] = ..., *,
                     dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def all_gather_v(self, send: Any, counts: Sequence[int], out: Any = None,
                     offsets: Optional[Sequence[int]] = None, *, dtype: Optional[DataType] = None,
                     async_: bool = False) -> Any:
        """all_gather of parts of different size: `counts` and `offsets` are equal on all ranks."""
        array, places = self._arrays("all_gather_v", counts, offsets)
        source, target, common, out = self._gathered_v("all_gather_v", send, out, counts, offsets, dtype)
        arguments = (source.address, source.count, target.address, array, places, common, None)
        return self._start("psAllGatherV", arguments, (source, target), out, async_)

    @overload
    def gather(self, send: Any, out: Any = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
               async_: Literal[True]) -> Work: ...

    @overload
    def gather(self, send: Any, out: Any = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
               async_: bool = ...) -> Any: ...

    def gather(self, send: Any, out: Any = None, root: int = 0, dtype: Optional[DataType] = None,
               async_: bool = False) -> Any:
        """Every rank's `send`, in group order, at `root`; None elsewhere."""
        if dtype is None and not async_ and type(root) is int and 0 <= root < self.size:
            try:
                if self.rank == root:
                    source, target, size, kind, _ = lent_pair(send, out, self.size)
                else:
                    (source, size, kind, _), target, out = lent_by[type(send)](send), None, None
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psGather(self._argument, source, target, size, kind, root, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        if self.rank == root:
            source, target, common, out = self._gathered("gather", send, out, dtype)
        else:
            out = None
            source, target, common = self._pair(send, None, "gather", dtype)
        arguments = (source.address, target.address, source.count, common, int32(root, "root"), None)
        return self._start("psGather", arguments, (source, target), out, async_)

    @overload
    def gather_v(self, send: Any, counts: Optional[Sequence[int]] = ..., out: Any = ...,
                 offsets: Optional[Sequence[int]] = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                 async_: Literal[True]) -> Work: ...

    @overload
    def gather_v(self, send: Any, counts: Optional[Sequence[int]] = ..., out: Any = ...,
                 offsets: Optional[Sequence[int]] = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                 async_: bool = ...) -> Any: ...

    def gather_v(self, send: Any, counts: Optional[Sequence[int]] = None, out: Any = None,
                 offsets: Optional[Sequence[int]] = None, root: int = 0, *, dtype: Optional[DataType] = None,
                 async_: bool = False) -> Any:
        """gather of parts of different size: `counts`, `out` and `offsets` are used at `root` only."""
        if self.rank == root:
            if counts is None:
                raise ArgumentError("gather_v needs counts at the root, one for each rank")
            array, places = self._arrays("gather_v", counts, offsets)
            source, target, common, out = self._gathered_v("gather_v", send, out, counts, offsets, dtype)
        else:
            array = places = out = None
            source, target, common = self._pair(send, None, "gather_v", dtype)
        arguments = (source.address, source.count, target.address, array, places, common, int32(root, "root"), None)
        return self._start("psGatherV", arguments, (source, target), out, async_)

    @overload
    def scatter(self, send: Any, out: Any, root: int = ..., *, dtype: Optional[DataType] = ...,
                async_: Literal[True]) -> Work: ...

    @overload
    def scatter(self, send: Any, out: Any, root: int = ..., *, dtype: Optional[DataType] = ...,
                async_: bool = ...) -> Any: ...

    def scatter(self, send: Any, out: Any, root: int = 0, dtype: Optional[DataType] = None,
                async_: bool = False) -> Any:
        """Block q of root's `send` to rank q. `send` is None elsewhere. In place: `out` is the root's own block."""
        if dtype is None and not async_ and type(root) is int and 0 <= root < self.size:
            try:
                if self.rank == root:
                    target, source, size, kind, _ = lent_pair(out, send, self.size)
                else:
                    (target, size, kind, _), source = lent_by[type(out)](out), None
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psScatter(self._argument, source, target, size, kind, root, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        source, target, common = self._pair(send if self.rank == root else None, out, "scatter", dtype)
        if self.rank == root:
            expect_count("scatter", "send", source, target.count * self.size, f"out's {target.count} for each rank")
        arguments = (source.address, target.address, target.count, common, int32(root, "root"), None)
        return self._start("psScatter", arguments, (source, target), out, async_)

    @overload
    def scatter_v(self, send: Any, out: Any, counts: Optional[Sequence[int]] = ...,
                  offsets: Optional[Sequence[int]] = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: Literal[True]) -> Work: ...

    @overload
    def scatter_v(self, send: Any, out: Any, counts: Optional[Sequence[int]] = ...,
                  offsets: Optional[Sequence[int]] = ..., root: int = ..., *, dtype: Optional[DataType] = ...,
                  async_: bool = ...) -> Any: ...

    def scatter_v(self, send: Any, out: Any, counts: Optional[Sequence[int]] = None,
                  offsets: Optional[Sequence[int]] = None, root: int = 0, *, dtype: Optional[DataType] = None,
                  async_: bool = False) -> Any:
        """scatter of parts of different size: `send`, `counts` and `offsets` are used at `root` only."""
        array = places = None
        source, target, common = self._pair(send if self.rank == root else None, out, "scatter_v", dtype)
        if self.rank == root:
            if counts is None:
                raise ArgumentError("scatter_v needs counts at the root, one for each rank")
            array, places = self._arrays("scatter_v", counts, offsets)
            _expect_room("scatter_v", "send", source, counts, offsets)
        arguments = (source.address, array, places, target.address, target.count, common, int32(root, "root"), None)
        return self._start("psScatterV", arguments, (source, target), out, async_)

    @overload
    def reduce_scatter(self, send: Any, out: Any = ..., op: Reduction = ..., *, dtype: Optional[DataType] = ...,
                       async_: Literal[True]) -> Work: ...

    @overload
    def reduce_scatter(self, send: Any, out: Any = ..., op: Reduction = ..., *, dtype: Optional[DataType] = ...,
                       async_: bool = ...) -> Any: ...

    def reduce_scatter(self, send: Any, out: Any = None, op: Reduction = ReduceOp.SUM,
                       dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """Reduces over the ranks and leaves block q at rank q. In place: `out` is the own block of `send`."""
        if dtype is None and not async_ and (op is _SUM or is_constant(op)):
            try:
                target, source, size, kind, _ = lent_pair(out, send, self.size)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psReduceScatter(self._argument, source, target, size, kind, op, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        source = view(send, "reduce_scatter: send", dtype=dtype)
        if out is None and source.count:
            if not source.shape or source.shape[0] % self.size:
                raise ArgumentError(f"reduce_scatter: the first axis of send, of shape {source.shape}, is not "
                                    f"{self.size} equal blocks; pass out= to have the elements cut whatever the shape")
            out = allocate((source.shape[0] // self.size, *source.shape[1:]), source, "reduce_scatter")
        target = view(out, "reduce_scatter: out", writable=True, dtype=dtype)
        common = common_type("reduce_scatter", source, target)
        expect_count("reduce_scatter", "send", source, target.count * self.size, f"out's {target.count} for each rank")
        with self._reduction(op, common) as code:
            arguments = (source.address, target.address, target.count, common, code, None)
            return self._start("psReduceScatter", arguments, (source, target), out, async_)

    @overload
    def reduce_scatter_v(self, send: Any, counts: Sequence[int], out: Any = ..., op: Reduction = ..., *,
                         dtype: Optional[DataType] = ..., async_: Literal[True]) -> Work: ...

    @overload
    def reduce_scatter_v(self, send: Any, counts: Sequence[int], out: Any = ..., op: Reduction = ..., *,
                         dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def reduce_scatter_v(self, send: Any, counts: Sequence[int], out: Any = None, op: Reduction = ReduceOp.SUM, *,
                         dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """reduce_scatter into blocks of different size: `counts` are equal on all ranks, `send` holds their sum."""
        array, _ = self._arrays("reduce_scatter_v", counts, None)
        source = view(send, "reduce_scatter_v: send", dtype=dtype)
        expect_count("reduce_scatter_v", "send", source, sum(counts), "the sum of counts")
        if out is None and source.count:
            out = allocate((counts[self.rank],), source, "reduce_scatter_v")
        target = view(out, "reduce_scatter_v: out", writable=True, dtype=dtype)
        common = common_type("reduce_scatter_v", source, target)
        expect_count("reduce_scatter_v", "out", target, counts[self.rank], "this rank's entry of counts")
        with self._reduction(op, common) as code:
            arguments = (source.address, target.address, array, common, code, None)
            return self._start("psReduceScatterV", arguments, (source, target), out, async_)

    @overload
    def all_to_all(self, send: Any, out: Any = ..., *, dtype: Optional[DataType] = ...,
                   async_: Literal[True]) -> Work: ...

    @overload
    def all_to_all(self, send: Any, out: Any = ..., *, dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def all_to_all(self, send: Any, out: Any = None, dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """Block q of `send` goes to rank q, block q of `out` comes from rank q. In place: `out` is `send`."""
        if dtype is None and not async_:
            try:
                source, target, size, kind = lent_blocks(send, out, self.size)
            except NOT_DIRECT:
                pass
            else:
                try:
                    result = self._bare.psAllToAll(self._argument, source, target, size, kind, None, None)
                finally:
                    del source, target
                if result or _dropped:
                    self._ended(result)
                return out
        source = view(send, "all_to_all: send", dtype=dtype)
        if out is None and source.count:
            out = allocate(source.shape, source, "all_to_all")
        target = view(out, "all_to_all: out", writable=True, dtype=dtype)
        common = common_type("all_to_all", source, target)
        expect_count("all_to_all", "out", target, source.count, "as many as send")
        if source.count % self.size:
            raise ArgumentError(f"all_to_all: send has {source.count} elements, which is not {self.size} equal blocks")
        arguments = (source.address, target.address, source.count // self.size, common, None)
        return self._start("psAllToAll", arguments, (source, target), out, async_)

    @overload
    def all_to_all_v(self, send: Any, send_counts: Sequence[int], recv_counts: Sequence[int], out: Any = ...,
                     send_offsets: Optional[Sequence[int]] = ..., recv_offsets: Optional[Sequence[int]] = ..., *,
                     dtype: Optional[DataType] = ..., async_: Literal[True]) -> Work: ...

    @overload
    def all_to_all_v(self, send: Any, send_counts: Sequence[int], recv_counts: Sequence[int], out: Any = ...,
                     send_offsets: Optional[Sequence[int]] = ..., recv_offsets: Optional[Sequence[int]] = ..., *,
                     dtype: Optional[DataType] = ..., async_: bool = ...) -> Any: ...

    def all_to_all_v(self, send: Any, send_counts: Sequence[int], recv_counts: Sequence[int], out: Any = None,
                     send_offsets: Optional[Sequence[int]] = None, recv_offsets: Optional[Sequence[int]] = None, *,
                     dtype: Optional[DataType] = None, async_: bool = False) -> Any:
        """all_to_all of blocks of different size: send_counts[q] here is recv_counts[this rank] on rank q."""
        sent, sent_places = self._arrays("all_to_all_v", send_counts, send_offsets, "send_")
        received, received_places = self._arrays("all_to_all_v", recv_counts, recv_offsets, "recv_")
        source = view(send, "all_to_all_v: send", dtype=dtype)
        _expect_room("all_to_all_v", "send", source, send_counts, send_offsets)
        if out is None and source.source is not None:
            out = allocate((_extent(recv_counts, recv_offsets),), source, "all_to_all_v")
        target = view(out, "all_to_all_v: out", writable=True, dtype=dtype)
        _expect_room("all_to_all_v", "out", target, recv_counts, recv_offsets)
        common = common_type("all_to_all_v", source, target)
        arguments = (source.address, sent, sent_places, target.address, received, received_places, common, None)
        return self._start("psAllToAllV", arguments, (source, target), out, async_)

    @overload
    def barrier(self, *, async_: Literal[True]) -> Work: ...

    @overload
    def barrier(self, *, async_: bool = ...) -> Any: ...

    def barrier(self, *, async_: bool = False) -> Any:
        """Returns when all members have called it. For a limit of its own: `barrier(async_=True).wait(seconds)`."""
        if not async_:
            result = self._bare.psBarrier(self._argument, None)
            if result or _dropped:
                self._ended(result)
            return None
        return self._start("psBarrier", (), (), None, async_)

    def _gathered(self, call: str, send: Any, out: Any,
                  dtype: Optional[DataType]) -> Tuple[Buffer, Buffer, DataType, Any]:
        source = view(send, f"{call}: send", dtype=dtype)
        if out is None and source.source is not None:
            out = allocate(_joined(source.shape, self.size), source, call)
        target = view(out, f"{call}: out", writable=True, dtype=dtype)
        common = common_type(call, source, target)
        expect_count(call, "out", target, source.count * self.size, f"send's {source.count} from each rank")
        return source, target, common, out

    def _gathered_v(self, call: str, send: Any, out: Any, counts: Sequence[int], offsets: Optional[Sequence[int]],
                    dtype: Optional[DataType]) -> Tuple[Buffer, Buffer, DataType, Any]:
        source = view(send, f"{call}: send", dtype=dtype)
        expect_count(call, "send", source, counts[self.rank], "this rank's entry of counts")
        if out is None and source.source is not None:
            out = allocate((_extent(counts, offsets),), source, call)
        target = view(out, f"{call}: out", writable=True, dtype=dtype)
        _expect_room(call, "out", target, counts, offsets)
        return source, target, common_type(call, source, target), out

    def _arrays(self, call: str, counts: Sequence[int], offsets: Optional[Sequence[int]],
                kind: str = "") -> Tuple[Any, Any]:
        return (size_array(counts, self.size, f"{call}: {kind}counts"),
                size_array(offsets, self.size, f"{call}: {kind}offsets"))


def _extent(counts: Sequence[int], offsets: Optional[Sequence[int]]) -> int:
    """How many elements a buffer has that holds all blocks."""
    if offsets is None:
        return int(sum(counts))
    return max((int(offset) + int(count) for offset, count in zip(offsets, counts) if count), default=0)


def _expect_room(call: str, what: str, buffer: Buffer, counts: Sequence[int], offsets: Optional[Sequence[int]]) -> None:
    needed = _extent(counts, offsets)
    if buffer.count < needed:
        raise ArgumentError(f"{call}: {what} has {buffer.count} elements, and its blocks end at {needed}")
