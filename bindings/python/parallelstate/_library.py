"""Finds and loads libparallelstate.so, once, at the first call that needs it.

In this order: PS_LIBRARY (alone, when it is set: what a person chose is not silently replaced), the package's own lib/,
the build tree of the checkout that this file is in, and the name by the loader's path.
"""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import c_int32
from pathlib import Path
from types import ModuleType
from typing import Any, Iterator, List, Optional, Tuple

from ._constants import VERSION_MAJOR, VERSION_MINOR, Result
from ._errors import Error, LoadError, error_of
from ._prototypes import PROTOTYPES

SONAME = "libparallelstate.so.0"

_lock = threading.Lock()
_loaded: Optional[Any] = None
_bare: Optional[Any] = None
_path = ""


def candidates() -> Iterator[Tuple[str, str]]:
    """What is tried, as (path or name, where it comes from)."""
    chosen = os.environ.get("PS_LIBRARY")
    if chosen:
        yield chosen, "PS_LIBRARY"
        return
    package = Path(__file__).resolve().parent
    for name in (SONAME, "libparallelstate.so"):
        yield str(package / "lib" / name), "the package"
    root = package.parents[2]
    if (root / "include" / "parallelstate.h").exists():
        yield str(root / "build" / "lib" / "libparallelstate.so"), "the build tree"
    yield SONAME, "the loader's path"


def _check_version(found: int) -> None:
    major, minor = found // 10000, found // 100 % 100
    if major != VERSION_MAJOR or (major == 0 and minor != VERSION_MINOR):
        raise LoadError(f"it is version {major}.{minor}.{found % 100}, this binding is made for "
                        f"{VERSION_MAJOR}.{VERSION_MINOR}.x; install the two together")


def _open(path: str) -> Any:
    loaded = ctypes.CDLL(path)
    for prototype in PROTOTYPES:
        try:
            function = getattr(loaded, prototype.name)
        except AttributeError:
            raise LoadError(f"it has no function {prototype.name}, so it is not a ParallelState library "
                            f"that this binding knows") from None
        function.restype = prototype.restype
        function.argtypes = prototype.argtypes
    _check_version(loaded.psVersion())
    return loaded


def load() -> Tuple[Any, str]:
    """Opens the first candidate that works. LoadError lists every candidate with its error."""
    tried: List[str] = []
    for path, origin in candidates():
        if os.sep in path and not os.path.exists(path):
            tried.append(f"  {path} ({origin}): no such file")
            continue
        try:
            return _open(path), path
        except (OSError, LoadError) as error:
            tried.append(f"  {path} ({origin}): {error}")
    if os.environ.get("PS_LIBRARY"):
        advice = "Nothing else was tried, because PS_LIBRARY is set: correct it, or unset it."
    else:
        advice = ("Install the package with pip, which packs the library too, or build it in the checkout "
                  "(scripts/demo), or set PS_LIBRARY to its path.")
    raise LoadError("\n".join(["no usable libparallelstate.so; tried", *tried, advice]))


def _without_argtypes(loaded: Any) -> Any:
    again = ctypes.CDLL(loaded._name, handle=loaded._handle)
    # Attributes of a module are found in a tenth of the time that those of a CDLL take, which has a __getattr__.
    functions = ModuleType("functions without argtypes")
    functions.__dict__.update({each.name: getattr(again, each.name) for each in PROTOTYPES if each.restype is c_int32})
    return functions


def library() -> Any:
    """The loaded library, a ctypes.CDLL: every call of it releases the interpreter lock."""
    global _loaded, _bare, _path
    if _loaded is None:
        with _lock:
            if _loaded is None:
                found, _path = load()
                _bare = _without_argtypes(found)
                _loaded = found
    return _loaded


def bare() -> Any:
    """The same functions, as far as they return an int32_t, without argtypes.

    For callers to whom its conversions are too slow, and who pass what ctypes takes as it is: arrays and
    c_void_p.from_param(address) for pointers, None for NULL, an int for an int32_t.
    """
    library()
    return _bare


def library_path() -> str:
    """Path or name of the library that is in use; loads it."""
    library()
    return _path


def last_error(result: int) -> Error:
    """The exception for `result`, with the text of this thread's last failing call."""
    text = (library().psLastError() or b"").decode("utf-8", "replace")
    return error_of(result, text or f"psResult {result} without a text")


def check(result: int) -> None:
    if result < Result.OK:
        raise last_error(result)
