"""One exception class a result code; each is also the builtin exception that a Python programmer would catch."""

from __future__ import annotations

from typing import Dict, Optional, Type, Union

from ._constants import Result, known


class Error(RuntimeError):
    """A call that failed. `str(error)` is the library's text, `code` the psResult.

    `failed_global_rank` is the world rank that a group's failure is about (who ended, who called otherwise), or None.
    """

    code: Union[Result, int]
    failed_global_rank: Optional[int]

    default_code = Result.ERR_INTERNAL

    def __init__(self, text: str, code: Optional[int] = None, failed_global_rank: Optional[int] = None) -> None:
        super().__init__(text)
        self.code = known(Result, self.default_code if code is None else code)
        self.failed_global_rank = failed_global_rank


class ArgumentError(Error, ValueError):
    default_code = Result.ERR_ARGUMENT


class StateError(Error):
    """The object can no longer do this: finalized, closed, or used across fork()."""

    default_code = Result.ERR_STATE


class UnsupportedError(Error, NotImplementedError):
    default_code = Result.ERR_UNSUPPORTED


class NoMemoryError(Error, MemoryError):
    default_code = Result.ERR_NO_MEMORY


class SystemError_(Error, OSError):
    """The operating system refused something. Named apart from the builtin SystemError, which means another thing."""

    default_code = Result.ERR_SYSTEM


class PeerFailedError(Error, ConnectionError):
    default_code = Result.ERR_PEER_FAILED


class TimeoutError_(Error, TimeoutError):
    """Also the builtin TimeoutError. The underscore is there so that `import *` does not hide the builtin."""

    default_code = Result.ERR_TIMEOUT


class AbortedError(Error):
    default_code = Result.ERR_ABORTED


class BackendError(Error):
    default_code = Result.ERR_BACKEND


class InternalError(Error):
    default_code = Result.ERR_INTERNAL


class MismatchError(Error):
    default_code = Result.ERR_MISMATCH


class NotFoundError(Error, LookupError):
    default_code = Result.ERR_NOT_FOUND


class ClosedError(Error, ConnectionError):
    default_code = Result.ERR_CLOSED


class DeniedError(Error, PermissionError):
    default_code = Result.ERR_DENIED


class LoadError(ImportError):
    """The shared library was not found, or is not one that this binding can use."""


_CLASSES: Dict[int, Type[Error]] = {
    int(kind.default_code): kind
    for kind in (
        ArgumentError, StateError, UnsupportedError, NoMemoryError, SystemError_, PeerFailedError, TimeoutError_,
        AbortedError, BackendError, InternalError, MismatchError, NotFoundError, ClosedError, DeniedError,
    )
}


def error_of(code: int, text: str, failed_global_rank: Optional[int] = None) -> Error:
    """The exception for a negative result."""
    return _CLASSES.get(code, Error)(text, code, failed_global_rank)
