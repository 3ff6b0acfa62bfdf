"""Conversions between Python values and what the C functions take: text, times, byte lists, integer lists."""

from __future__ import annotations

import ctypes
import json
import math
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


def wait_ms(seconds: Optional[float]) -> int:
    """For timeout parameters: None is the default (-1), 0 polls. Rounded up, so that a short wait is not a poll."""
    if seconds is None:
        return -1
    if not seconds >= 0 or math.isinf(seconds):
        raise ArgumentError(f"timeout is {seconds!r}; give seconds >= 0, or None for the default")
    return math.ceil(seconds * 1000)


def deadline_ms(seconds: Optional[float], what: str = "timeout") -> int:
    """For deadlines in options, where None is the default (0)."""
    if seconds is None:
        return 0
    if not seconds > 0 or math.isinf(seconds):
        raise ArgumentError(f"{what} is {seconds!r}; give seconds > 0, or None for the default")
    return math.ceil(seconds * 1000)


def size_array(values: Optional[Sequence[int]], size: int, what: str) -> Any:
    """A `const size_t[size]`; None stays NULL."""
    if values is None:
        return None
    items = [int(value) for value in values]
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
