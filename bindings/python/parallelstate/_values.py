"""Conversions between Python values and what the C functions take: text, times, byte lists, integer lists."""

from __future__ import annotations

import ctypes
import json
import math
import operator
from typing import Any, Optional, Sequence

from ._errors import ArgumentError
from ._library import check, library


def encode(text: Optional[str], what: str) -> Optional[bytes]:
    """UTF-8 for a `const char*`; None stays NULL."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, not {type(text).__name__}")
    if "\0" in text:
        raise ArgumentError(f"{what} {text!r} contains a NUL character, which C text cannot hold")
    return text.encode("utf-8")


def decode(text: Optional[bytes]) -> str:
    return (text or b"").decode("utf-8", "replace")


def _integer(value: Any, what: str, lowest: int, highest: int) -> int:
    """`value`, which ctypes would cut to its lower bits where it does not fit."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an int, not {type(value).__name__}") from None
    if not lowest <= number <= highest:
        raise ArgumentError(f"{what} is {number}; it must be from {lowest} to {highest}")
    return number


def int32(value: Any, what: str) -> int:
    return _integer(value, what, -(1 << 31), (1 << 31) - 1)


def is_int32(value: Any) -> bool:
    """Whether ctypes passes it as an int32_t as it is."""
    return type(value) is int and -(1 << 31) <= value < 1 << 31


def int64(value: Any, what: str) -> int:
    return _integer(value, what, -(1 << 63), (1 << 63) - 1)


def uint64(value: Any, what: str) -> int:
    return _integer(value, what, 0, (1 << 64) - 1)


def _milliseconds(seconds: Any, what: str, lowest: str) -> int:
    """Rounded up, so that a short wait is not a poll."""
    if isinstance(seconds, str) or not hasattr(type(seconds), "__float__"):
        raise TypeError(f"{what} must be a number of seconds or None, not {type(seconds).__name__}")
    value = float(seconds)
    if not math.isfinite(value) or value < 0 or (value == 0 and lowest == "> 0"):
        raise ArgumentError(f"{what} is {seconds!r}; give seconds {lowest}, or None for the default")
    return min(math.ceil(value * 1000), (1 << 63) - 1)


def wait_ms(seconds: Optional[float], what: str = "timeout") -> int:
    """For timeout parameters: None is the default (-1), 0 polls."""
    return -1 if seconds is None else _milliseconds(seconds, what, ">= 0")


def deadline_ms(seconds: Optional[float], what: str = "timeout") -> int:
    """For deadlines in options, where None is the default (0)."""
    return 0 if seconds is None else _milliseconds(seconds, what, "> 0")


def size_array(values: Optional[Sequence[int]], size: int, what: str) -> Any:
    """A `const size_t[size]`; None stays NULL."""
    if values is None:
        return None
    try:
        items = [operator.index(value) for value in values]
    except TypeError:
        raise TypeError(f"{what} must be a sequence of ints, not {values!r}") from None
    if len(items) != size:
        raise ArgumentError(f"{what} has {len(items)} entries; the group has {size} ranks and needs one for each")
    if any(item < 0 for item in items):
        raise ArgumentError(f"{what} is {items}; entries are numbers of elements and cannot be negative")
    return (ctypes.c_size_t * size)(*items)


def take_bytes(handle: ctypes.c_void_p) -> bytes:
    """The first part of a psBytes, which is freed."""
    try:
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        check(library().psBytesAt(handle, 0, ctypes.byref(data), ctypes.byref(size), None))
        if not size.value:
            return b""
        return bytes((ctypes.c_char * size.value).from_address(data.value))  # type: ignore[arg-type]
    finally:
        library().psBytesFree(handle)


def take_json(handle: ctypes.c_void_p) -> Any:
    return json.loads(take_bytes(handle).decode("utf-8"))
