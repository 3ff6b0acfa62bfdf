"""ParallelState: a world of ranks, named parallel groups, and coordinated communication through them.

    import numpy as np
    import parallelstate as ps

    with ps.init() as context:
        x = np.ones(4, dtype=np.float32)
        context.world.all_reduce(x)

ctypes over libparallelstate.so; see README.md beside this package for the rules of the binding.
"""

from __future__ import annotations

import ctypes as _ctypes
from typing import Any, Dict, Tuple

from ._constants import (
    NEXT, NO_COLOR, NO_RANK, PREV, CheckMode, ContentType, DataType, DeviceType, Direction, Flag, LogLevel, RankState,
    ReduceOp, Result,
)
from ._errors import (
    AbortedError, ArgumentError, BackendError, ClosedError, DeniedError, Error, InternalError, LoadError, MismatchError,
    NoMemoryError, NotFoundError, PeerFailedError, StateError, SystemError_, TimeoutError_, UnsupportedError,
)
from ._library import check as _check, library as _loaded, library_path
from ._operations import PremulSum, premul_sum
from ._point_to_point import Recv, Send
from ._values import take_json as _take_json
from .context import Context, RankInfo, WorldInfo, init
from .group import Group, GroupInfo
from .layout import Layout, Place, pipeline_layers, shard_range
from .memory import Memory, Registration
from .store import Store
from .work import Work

__version__ = "0.1.0"

INT8 = DataType.INT8
INT16 = DataType.INT16
INT32 = DataType.INT32
INT64 = DataType.INT64
UINT8 = DataType.UINT8
UINT16 = DataType.UINT16
UINT32 = DataType.UINT32
UINT64 = DataType.UINT64
FLOAT16 = DataType.FLOAT16
BFLOAT16 = DataType.BFLOAT16
FLOAT32 = DataType.FLOAT32
FLOAT64 = DataType.FLOAT64
FLOAT8_E4M3 = DataType.FLOAT8_E4M3
FLOAT8_E5M2 = DataType.FLOAT8_E5M2
BOOL = DataType.BOOL

SUM = ReduceOp.SUM
PRODUCT = ReduceOp.PRODUCT
MIN = ReduceOp.MIN
MAX = ReduceOp.MAX
AVG = ReduceOp.AVG
BIT_AND = ReduceOp.BIT_AND
BIT_OR = ReduceOp.BIT_OR
BIT_XOR = ReduceOp.BIT_XOR
LOGICAL_AND = ReduceOp.LOGICAL_AND
LOGICAL_OR = ReduceOp.LOGICAL_OR
LOGICAL_XOR = ReduceOp.LOGICAL_XOR


def library_info() -> Dict[str, Any]:
    """Version, build, CPU and kernel features, limits, backends with the reason where one is missing."""
    json = _ctypes.c_void_p()
    _check(_loaded().psGetLibraryInfo(_ctypes.byref(json)))
    return dict(_take_json(json))


def result_name(code: int) -> str:
    """The C constant's name, "PS_ERR_TIMEOUT"; "unknown result" for a number that the library does not know."""
    return str(_loaded().psResultName(code).decode())


def library_version() -> Tuple[int, int, int]:
    """The version of the library that is loaded; `__version__` is the binding's."""
    version = _loaded().psVersion()
    return version // 10000, version // 100 % 100, version % 100


__all__ = [
    "NEXT", "NO_COLOR", "NO_RANK", "PREV",
    "CheckMode", "ContentType", "DataType", "DeviceType", "Direction", "Flag", "LogLevel", "RankState", "ReduceOp",
    "Result",
    "AbortedError", "ArgumentError", "BackendError", "ClosedError", "DeniedError", "Error", "InternalError",
    "LoadError", "MismatchError", "NoMemoryError", "NotFoundError", "PeerFailedError", "StateError", "SystemError_",
    "TimeoutError_", "UnsupportedError",
    "Context", "Group", "GroupInfo", "Layout", "Memory", "Place", "PremulSum", "RankInfo", "Recv", "Registration", "Send",
    "Store", "Work", "WorldInfo",
    "init", "library_info", "library_path", "library_version", "pipeline_layers", "premul_sum", "result_name",
    "shard_range",
    "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FLOAT16", "BFLOAT16", "FLOAT32",
    "FLOAT64", "FLOAT8_E4M3", "FLOAT8_E5M2", "BOOL",
    "SUM", "PRODUCT", "MIN", "MAX", "AVG", "BIT_AND", "BIT_OR", "BIT_XOR", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_XOR",
]
