"""A key-value store: small values that ranks and other processes share."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Optional, Type, Union

from . import _handles
from ._constants import flags
from ._errors import StateError
from ._library import check, library
from ._structs import psStoreOptions
from ._values import deadline_ms, decode, encode, int64, take_bytes, uint64, wait_ms

Value = Union[bytes, bytearray, memoryview, str]


class Store:
    """The world's (Context.store), one that this process serves (Store.serve), or another's (Store.open).

    Every call is safe from all threads. A str value is stored as UTF-8; what `get` returns is bytes.
    """

    def __init__(self, handle: int) -> None:
        self._handle: Optional[int] = handle

    @classmethod
    def open(cls, url: str, *, secret: Optional[str] = None, network: Optional[str] = None,
             timeout: Optional[float] = None, max_value_bytes: int = 0) -> "Store":
        """Connects to a served store: its `address` in the process that serves it."""
        return cls._open(url, secret, network, timeout, max_value_bytes)

    @classmethod
    def serve(cls, url: str, *, secret: Optional[str] = None, network: Optional[str] = None,
              timeout: Optional[float] = None, max_value_bytes: int = 0,
              allow_unauthenticated: bool = False) -> "Store":
        """Hosts a store here; tcp port 0 takes a free port, `address` names it."""
        return cls._open(url, secret, network, timeout, max_value_bytes, serve=True,
                         allow_unauthenticated=allow_unauthenticated)

    @classmethod
    def _open(cls, url: str, secret: Optional[str], network: Optional[str], timeout: Optional[float],
              max_value_bytes: int, **chosen: bool) -> "Store":
        options = psStoreOptions(flags=flags(**chosen), secret=encode(secret, "secret"),
                                 network=encode(network, "network"), timeout_ms=deadline_ms(timeout),
                                 max_value_bytes=uint64(max_value_bytes, "max_value_bytes"))
        _handles.sweep()
        handle = ctypes.c_void_p()
        check(library().psStoreOpen(encode(url, "url"), ctypes.byref(options), ctypes.byref(handle)))
        assert handle.value is not None
        return cls(handle.value)

    @property
    def address(self) -> str:
        """What others pass to Store.open, or to init as rendezvous, with the port really bound."""
        url = ctypes.c_char_p()
        check(library().psStoreAddress(self._live(), ctypes.byref(url)))
        return decode(url.value)

    def set(self, key: str, value: Value, *, expire: Optional[float] = None) -> None:
        """`expire`: seconds after which the key is absent."""
        data = _bytes(value)
        check(library().psStoreSet(self._live(), _key(key), data, len(data), deadline_ms(expire, "expire")))

    def get(self, key: str, timeout: Optional[float] = None) -> bytes:
        """Waits until the key exists. timeout None: the store's own; 0: do not wait. TimeoutError_ names the key."""
        value = ctypes.c_void_p()
        check(library().psStoreGet(self._live(), _key(key), wait_ms(timeout), ctypes.byref(value)))
        return take_bytes(value)

    def add(self, key: str, delta: int = 1) -> int:
        """Adds atomically and returns the sum; an absent key counts as 0. The key holds decimal text."""
        total = ctypes.c_int64()
        check(library().psStoreAdd(self._live(), _key(key), int64(delta, "delta"), ctypes.byref(total)))
        return total.value

    def compare_and_set(self, key: str, expected: Optional[Value], desired: Value, *,
                        expire: Optional[float] = None) -> bool:
        """Sets the key to `desired` if its value equals `expected` (None: if it is absent); whether it did."""
        old = None if expected is None else _bytes(expected)
        new = _bytes(desired)
        swapped = ctypes.c_int32()
        check(library().psStoreCompareAndSet(self._live(), _key(key), old, len(old or b""), new, len(new),
                                             deadline_ms(expire, "expire"), ctypes.byref(swapped)))
        return bool(swapped.value)

    def delete(self, key: str) -> bool:
        """Whether the key existed."""
        existed = ctypes.c_int32()
        check(library().psStoreDelete(self._live(), _key(key), ctypes.byref(existed)))
        return bool(existed.value)

    def close(self) -> None:
        """Drops this reference; the last one closes the store. A second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            check(library().psStoreFree(handle))

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            self._handle = None
            _handles.drop("psStoreFree", handle)

    def _live(self) -> int:
        if self._handle is None:
            raise StateError("the store is closed")
        return self._handle


def _key(key: str) -> Optional[bytes]:
    if key is None:
        raise TypeError("key must be a str, not None")
    return encode(key, "key")


def _bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    try:
        return memoryview(value).tobytes()
    except TypeError:
        raise TypeError(f"a value is bytes or str, not {type(value).__name__}; pass str({value!r})") from None
