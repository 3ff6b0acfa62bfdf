"""Layouts: which ranks of a world form which named groups, as data. No context, no other rank and no device."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Type, Union

from . import _handles
from ._errors import ArgumentError, NotFoundError
from ._library import check, library
from ._structs import psLayoutInfo
from ._values import decode, encode, int32, int64, take_json, uint64


class Place(NamedTuple):
    """Where a rank is among the groups of a name."""

    group: int  # the group's index
    rank: int  # in that group


class Layout:
    """The groups of a spec such as "sglang:tp=8,pp=2" in a world of `world_size` ranks. All ranks are world ranks.

        layout = ps.Layout("vllm:tp=4,pp=*", 16)
        layout["tp"]                    # [[0, 1, 2, 3], [4, 5, 6, 7], ...]
        list(layout), layout.aliases    # the names
        layout.group_of("tp", 6)        # Place(group=1, rank=2)

    ArgumentError for a spec that is refused: its text has the arithmetic, the position, and what would work. Immutable;
    equal, and of one hash, where the canonical spec and the world size are equal. A layout can be pickled and copied.
    """

    def __init__(self, spec: str, world_size: int) -> None:
        self._handle: Optional[int] = None
        _handles.sweep()
        handle = ctypes.c_void_p()
        check(library().psLayoutCreate(_name(spec, "spec"), int32(world_size, "world_size"), ctypes.byref(handle)))
        self._handle = handle.value
        info = psLayoutInfo()
        check(library().psGetLayoutInfo(handle, ctypes.byref(info)))
        self._spec = decode(info.spec)
        self._world_size = int(info.world_size)
        self._hash = int(info.hash)
        self._names: Dict[str, Optional[str]] = {}
        for index in range(info.name_count):
            name, alias_of = ctypes.c_char_p(), ctypes.c_char_p()
            check(library().psLayoutName(handle, index, ctypes.byref(name), ctypes.byref(alias_of)))
            self._names[decode(name.value)] = None if alias_of.value is None else decode(alias_of.value)
        self._axes: Dict[str, int] = {}
        for index in range(info.axis_count):
            axis, size = ctypes.c_char_p(), ctypes.c_int32()
            check(library().psLayoutAxis(handle, index, ctypes.byref(axis), ctypes.byref(size)))
            self._axes[decode(axis.value)] = size.value

    # ---- What it is

    @property
    def spec(self) -> str:
        """The canonical spec: the same text for every spec of an equal layout."""
        return self._spec

    @property
    def world_size(self) -> int:
        return self._world_size

    @property
    def hash(self) -> int:
        """64 bits of canonical spec and world size, the same in every language, build and run."""
        return self._hash

    @property
    def names(self) -> Tuple[str, ...]:
        """The names of groups, aliases included, in the layout's order."""
        return tuple(self._names)

    @property
    def aliases(self) -> Dict[str, str]:
        """For each name that is an alias, the name whose groups these are."""
        return {name: alias_of for name, alias_of in self._names.items() if alias_of is not None}

    @property
    def axes(self) -> Dict[str, int]:
        """The sizes of the axes; those of a view are named "expert.ep"."""
        return dict(self._axes)

    # ---- Its groups

    def group_count(self, name: str) -> int:
        count = ctypes.c_size_t()
        check(library().psLayoutGroupCount(self._handle, _name(name), ctypes.byref(count)))
        return count.value

    def group(self, name: str, index: int) -> List[int]:
        """The ranks of one group, in their order; answered without the others."""
        number, count = uint64(index, "index"), ctypes.c_size_t()
        check(library().psLayoutGroupRanks(self._handle, _name(name), number, None, 0, ctypes.byref(count)))
        ranks = (ctypes.c_int32 * count.value)()
        check(library().psLayoutGroupRanks(self._handle, _name(name), number, ranks, count, ctypes.byref(count)))
        return list(ranks)

    def groups(self, name: str) -> List[List[int]]:
        """All groups of a name, or of axes that are merged: "tp-cp". NotFoundError lists the names."""
        return [self.group(name, index) for index in range(self.group_count(name))]

    def group_of(self, name: str, rank: int) -> Place:
        """The group of that name that has the rank, and the rank's place in it. NotFoundError: it is in none."""
        index, place = ctypes.c_size_t(), ctypes.c_int32()
        check(library().psLayoutFind(self._handle, _name(name), int32(rank, "rank"), ctypes.byref(index),
                                     ctypes.byref(place)))
        return Place(index.value, place.value)

    def coordinate(self, axis: str, rank: int) -> int:
        """The rank's coordinate on an axis; NotFoundError lists the axes."""
        coordinate = ctypes.c_int32()
        check(library().psLayoutCoordinate(self._handle, _name(axis, "axis"), int32(rank, "rank"),
                                           ctypes.byref(coordinate)))
        return coordinate.value

    def describe(self) -> Dict[str, Any]:
        """Spec, world, hash (hexadecimal text), axes, groups and aliases."""
        json = ctypes.c_void_p()
        check(library().psLayoutDescribe(self._handle, ctypes.byref(json)))
        return dict(take_json(json))

    def diff(self, other: "Layout") -> Dict[str, Any]:
        """{"equal": True}, or the keys and groups that differ."""
        if not isinstance(other, Layout):
            raise TypeError(f"other must be a Layout, not {type(other).__name__}")
        json = ctypes.c_void_p()
        check(library().psLayoutDiff(self._handle, other._handle, ctypes.byref(json)))
        return dict(take_json(json))

    # ---- As a mapping from names to groups

    def __getitem__(self, name: str) -> List[List[int]]:
        return self.groups(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self.group_count(name)
        except NotFoundError:
            return False
        return True

    def keys(self) -> Tuple[str, ...]:
        """The names, as `names`: dict(layout) has all groups."""
        return self.names

    # ---- As a value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        return (self._spec, self._world_size) == (other._spec, other._world_size)

    def __hash__(self) -> int:
        return hash((self._spec, self._world_size))

    def __str__(self) -> str:
        return self._spec

    def __repr__(self) -> str:
        return f"parallelstate.Layout({self._spec!r}, {self._world_size})"

    def __reduce__(self) -> Tuple[Type["Layout"], Tuple[str, int]]:
        return Layout, (self._spec, self._world_size)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            _handles.drop("psLayoutFree", handle)


def pipeline_layers(rule: str, layers: int, stages: int, partition: Optional[Sequence[int]] = None) -> List[range]:
    """Which layers each pipeline stage holds. What does not divide evenly goes by rule, "sglang" or "vllm", unless
    `partition` gives each stage's number of layers."""
    count = int32(stages, "stages")
    given: Any = None
    if partition is not None:
        shares = [int64(share, "a share of partition") for share in partition]
        if len(shares) != count:
            raise ArgumentError(f"partition has {len(shares)} shares; there are {count} stages and each needs one")
        given = (ctypes.c_int64 * len(shares))(*shares)
    # A number of stages that is refused needs no room.
    boundaries = (ctypes.c_int64 * (max(count, 0) + 1))()
    check(library().psPipelineLayers(_name(rule, "rule"), int64(layers, "layers"), count, given, boundaries))
    return [range(boundaries[stage], boundaries[stage + 1]) for stage in range(count)]


def shard_range(total: int, parts: int, index: int) -> range:
    """Part `index` of `total` in equal parts; ArgumentError when `parts` does not divide `total`."""
    begin, end = ctypes.c_int64(), ctypes.c_int64()
    check(library().psShardRange(int64(total, "total"), int32(parts, "parts"), int32(index, "index"),
                                 ctypes.byref(begin), ctypes.byref(end)))
    return range(begin.value, end.value)


def spec_for(layout: Union[str, Layout, None], world_size: int) -> bytes:
    """What a context of that world gets, b"" for what is configured; a Layout of another world is refused."""
    if layout is None:
        return b""
    if isinstance(layout, Layout):
        if layout.world_size != world_size:
            raise ArgumentError(f"layout {layout.spec!r} is of a world of {layout.world_size} ranks, the context's "
                                f"world has {world_size}")
        return layout.spec.encode("utf-8")
    return _name(layout, "layout")


def _name(text: str, what: str = "name") -> bytes:
    encoded = encode(text, what)
    if encoded is None:
        raise TypeError(f"{what} must be a str, not None")
    return encoded
