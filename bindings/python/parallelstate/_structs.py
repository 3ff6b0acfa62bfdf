"""The structs of parallelstate.h, field by field; tests/abi/python_layout_test.py holds them against the C compiler."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

LOG_FUNCTION = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)


class _Sized(ctypes.Structure):
    """Sets struct_size; every other field is zero, which means the default."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.struct_size = ctypes.sizeof(self)


class psConfig(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("rank", c_int32),
        ("world_size", c_int32),
        ("local_rank", c_int32),
        ("local_size", c_int32),
        ("replica", c_int32),
        ("replica_count", c_int32),
        ("rendezvous", c_char_p),
        ("job", c_char_p),
        ("secret", c_char_p),
        ("network", c_char_p),
        ("device", c_char_p),
        ("backend", c_char_p),
        ("dispatch", c_char_p),
        ("plugins", c_char_p),
        ("nccl_library", c_char_p),
        ("log", LOG_FUNCTION),
        ("log_user", c_void_p),
        ("timeout_ms", c_int64),
        ("init_timeout_ms", c_int64),
        ("max_object_bytes", c_uint64),
        ("host_buffer_bytes", c_uint64),
        ("log_level", c_int32),
        ("check_mode", c_int32),
    ]


class psWorldInfo(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("rank", c_int32),
        ("world_size", c_int32),
        ("local_rank", c_int32),
        ("local_size", c_int32),
        ("node", c_int32),
        ("node_count", c_int32),
        ("replica", c_int32),
        ("replica_count", c_int32),
        ("device_index", c_int32),
        ("failure", c_int32),
        ("failed_global_rank", c_int32),
        ("failure_text", c_char_p),
        ("layout_spec", c_char_p),
        ("worker_suffix", c_char_p),
    ]


class psRankInfo(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("state", c_int32),
        ("node", c_int32),
        ("local_rank", c_int32),
        ("pid", c_int32),
        ("device_index", c_int32),
        ("hostname", c_char_p),
        ("address", c_char_p),
        ("silent_ms", c_int64),
    ]


class psStoreOptions(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("secret", c_char_p),
        ("network", c_char_p),
        ("timeout_ms", c_int64),
        ("max_value_bytes", c_uint64),
    ]


class psGroupOptions(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("name", c_char_p),
        ("backend", c_char_p),
        ("backend_options", c_char_p),
        ("timeout_ms", c_int64),
        ("max_object_bytes", c_uint64),
        ("host_buffer_bytes", c_uint64),
    ]


class psGroupInfo(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("rank", c_int32),
        ("size", c_int32),
        ("host_count", c_int32),
        ("global_rank", c_int32),
        ("global_first", c_int32),
        ("global_last", c_int32),
        ("global_next", c_int32),
        ("global_prev", c_int32),
        ("flags", c_uint32),
        ("failure", c_int32),
        ("failed_global_rank", c_int32),
        ("failure_text", c_char_p),
        ("name", c_char_p),
        ("host_backend", c_char_p),
        ("device_backend", c_char_p),
        ("timeout_ms", c_int64),
    ]


class psMessage(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("direction", c_int32),
        ("buffer", c_void_p),
        ("count", c_size_t),
        ("dtype", c_int32),
        ("peer", c_int32),
        ("tag", c_int32),
        ("flags", c_uint32),
    ]


class psLayoutInfo(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("world_size", c_int32),
        ("hash", c_uint64),
        ("name_count", c_size_t),
        ("axis_count", c_size_t),
        ("spec", c_char_p),
    ]


class psModelParallelOptions(_Sized):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("backend_options", c_char_p),
        ("timeout_ms", c_int64),
    ]


ALL = (
    psConfig, psWorldInfo, psRankInfo, psStoreOptions, psGroupOptions, psGroupInfo, psMessage, psLayoutInfo,
    psModelParallelOptions,
)
