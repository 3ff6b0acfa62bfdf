"""The constants of parallelstate.h, with the same values, as enumerations."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Type, TypeVar, Union

VERSION_MAJOR = 0
VERSION_MINOR = 1
VERSION_PATCH = 0

NO_RANK = -1
NO_COLOR = -1
NEXT = -101
PREV = -102


class Result(IntEnum):
    OK = 0
    IN_PROGRESS = 1
    ERR_ARGUMENT = -1
    ERR_STATE = -2
    ERR_UNSUPPORTED = -3
    ERR_NO_MEMORY = -4
    ERR_SYSTEM = -5
    ERR_PEER_FAILED = -6
    ERR_TIMEOUT = -7
    ERR_ABORTED = -8
    ERR_BACKEND = -9
    ERR_INTERNAL = -10
    ERR_MISMATCH = -11
    ERR_NOT_FOUND = -12
    ERR_CLOSED = -13
    ERR_DENIED = -14


class DataType(IntEnum):
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT16 = 9
    BFLOAT16 = 10
    FLOAT32 = 11
    FLOAT64 = 12
    FLOAT8_E4M3 = 13
    FLOAT8_E5M2 = 14
    BOOL = 15

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return _SIZES[self]


_SIZES = {
    DataType.INT8: 1, DataType.INT16: 2, DataType.INT32: 4, DataType.INT64: 8,
    DataType.UINT8: 1, DataType.UINT16: 2, DataType.UINT32: 4, DataType.UINT64: 8,
    DataType.FLOAT16: 2, DataType.BFLOAT16: 2, DataType.FLOAT32: 4, DataType.FLOAT64: 8,
    DataType.FLOAT8_E4M3: 1, DataType.FLOAT8_E5M2: 1, DataType.BOOL: 1,
}


class ReduceOp(IntEnum):
    SUM = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    AVG = 5
    BIT_AND = 6
    BIT_OR = 7
    BIT_XOR = 8
    LOGICAL_AND = 9
    LOGICAL_OR = 10
    LOGICAL_XOR = 11
    PREMUL_SUM = 12


class ContentType(IntEnum):
    BYTES = 1
    TEXT = 2
    JSON = 3
    PLAIN = 4
    DICT = 5
    INT64 = 6
    FLOAT64 = 7
    BOOL = 8
    PICKLE = 9
    USER = 65536


class DeviceType(IntEnum):
    """Where memory is, numbered as in DLPack."""

    HOST = 1
    CUDA = 2
    ROCM = 10
    XPU = 14
    HPU = 1001
    NPU = 1002
    MUSA = 1003
    MLU = 1004
    PLUGIN = 65536


class LogLevel(IntEnum):
    OFF = 1
    ERROR = 2
    WARN = 3
    INFO = 4
    DEBUG = 5
    TRACE = 6


class CheckMode(IntEnum):
    OFF = 1
    LATE = 2
    STRICT = 3


class RankState(IntEnum):
    ALIVE = 1
    SILENT = 2
    LEFT = 3
    DEAD = 4


class Direction(IntEnum):
    SEND = 1
    RECV = 2


class Flag(IntFlag):
    DETERMINISTIC = 0x1
    OWN_COMMUNICATOR = 0x2
    WARM_UP = 0x4
    HOST_ONLY = 0x8
    ALLOW_UNAUTHENTICATED = 0x10
    SERVE = 0x20
    NO_ENVIRONMENT = 0x100
    SHARE_DEVICE = 0x200


_E = TypeVar("_E", bound=IntEnum)


def known(kind: Type[_E], value: int) -> Union[_E, int]:
    """`value` as a member of `kind`, or as it is where a newer library has a value that this binding does not know."""
    try:
        return kind(value)
    except ValueError:
        return value


def flags(**chosen: bool) -> int:
    """The flag word of the keyword arguments that are true: flags(deterministic=True) is 1."""
    word = 0
    for name, on in chosen.items():
        if on:
            word |= Flag[name.upper()]
    return int(word)
