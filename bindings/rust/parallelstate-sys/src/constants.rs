//! The values of `parallelstate.h`. They are never reused, and new ones may be added.
#![allow(missing_docs)]

use crate::structs::*;

pub const PS_VERSION_MAJOR: i32 = 0;
pub const PS_VERSION_MINOR: i32 = 1;
pub const PS_VERSION_PATCH: i32 = 0;
pub const PS_VERSION: i32 = PS_VERSION_MAJOR * 10000 + PS_VERSION_MINOR * 100 + PS_VERSION_PATCH;

pub const PS_OK: psResult = 0;
pub const PS_IN_PROGRESS: psResult = 1;
pub const PS_ERR_ARGUMENT: psResult = -1;
pub const PS_ERR_STATE: psResult = -2;
pub const PS_ERR_UNSUPPORTED: psResult = -3;
pub const PS_ERR_NO_MEMORY: psResult = -4;
pub const PS_ERR_SYSTEM: psResult = -5;
pub const PS_ERR_PEER_FAILED: psResult = -6;
pub const PS_ERR_TIMEOUT: psResult = -7;
pub const PS_ERR_ABORTED: psResult = -8;
pub const PS_ERR_BACKEND: psResult = -9;
pub const PS_ERR_INTERNAL: psResult = -10;
pub const PS_ERR_MISMATCH: psResult = -11;
pub const PS_ERR_NOT_FOUND: psResult = -12;
pub const PS_ERR_CLOSED: psResult = -13;
pub const PS_ERR_DENIED: psResult = -14;

pub const PS_INT8: psDataType = 1;
pub const PS_INT16: psDataType = 2;
pub const PS_INT32: psDataType = 3;
pub const PS_INT64: psDataType = 4;
pub const PS_UINT8: psDataType = 5;
pub const PS_UINT16: psDataType = 6;
pub const PS_UINT32: psDataType = 7;
pub const PS_UINT64: psDataType = 8;
pub const PS_FLOAT16: psDataType = 9;
pub const PS_BFLOAT16: psDataType = 10;
pub const PS_FLOAT32: psDataType = 11;
pub const PS_FLOAT64: psDataType = 12;
pub const PS_FLOAT8_E4M3: psDataType = 13;
pub const PS_FLOAT8_E5M2: psDataType = 14;
pub const PS_BOOL: psDataType = 15;

pub const PS_SUM: psReduceOp = 1;
pub const PS_PRODUCT: psReduceOp = 2;
pub const PS_MIN: psReduceOp = 3;
pub const PS_MAX: psReduceOp = 4;
pub const PS_AVG: psReduceOp = 5;
pub const PS_BIT_AND: psReduceOp = 6;
pub const PS_BIT_OR: psReduceOp = 7;
pub const PS_BIT_XOR: psReduceOp = 8;
pub const PS_LOGICAL_AND: psReduceOp = 9;
pub const PS_LOGICAL_OR: psReduceOp = 10;
pub const PS_LOGICAL_XOR: psReduceOp = 11;
pub const PS_PREMUL_SUM: psReduceOp = 12;

pub const PS_CONTENT_BYTES: psContentType = 1;
pub const PS_CONTENT_TEXT: psContentType = 2;
pub const PS_CONTENT_JSON: psContentType = 3;
pub const PS_CONTENT_PLAIN: psContentType = 4;
pub const PS_CONTENT_DICT: psContentType = 5;
pub const PS_CONTENT_INT64: psContentType = 6;
pub const PS_CONTENT_FLOAT64: psContentType = 7;
pub const PS_CONTENT_BOOL: psContentType = 8;
pub const PS_CONTENT_PICKLE: psContentType = 9;
pub const PS_CONTENT_USER: psContentType = 65536;

pub const PS_DEVICE_HOST: psDeviceType = 1;
pub const PS_DEVICE_CUDA: psDeviceType = 2;
pub const PS_DEVICE_ROCM: psDeviceType = 10;
pub const PS_DEVICE_XPU: psDeviceType = 14;
pub const PS_DEVICE_HPU: psDeviceType = 1001;
pub const PS_DEVICE_NPU: psDeviceType = 1002;
pub const PS_DEVICE_MUSA: psDeviceType = 1003;
pub const PS_DEVICE_MLU: psDeviceType = 1004;
pub const PS_DEVICE_PLUGIN: psDeviceType = 65536;

pub const PS_LOG_OFF: psLogLevel = 1;
pub const PS_LOG_ERROR: psLogLevel = 2;
pub const PS_LOG_WARN: psLogLevel = 3;
pub const PS_LOG_INFO: psLogLevel = 4;
pub const PS_LOG_DEBUG: psLogLevel = 5;
pub const PS_LOG_TRACE: psLogLevel = 6;

pub const PS_CHECK_OFF: psCheckMode = 1;
pub const PS_CHECK_LATE: psCheckMode = 2;
pub const PS_CHECK_STRICT: psCheckMode = 3;

pub const PS_RANK_ALIVE: psRankState = 1;
pub const PS_RANK_SILENT: psRankState = 2;
pub const PS_RANK_LEFT: psRankState = 3;
pub const PS_RANK_DEAD: psRankState = 4;

pub const PS_SEND: psDirection = 1;
pub const PS_RECV: psDirection = 2;

pub const PS_DETERMINISTIC: u32 = 0x1;
pub const PS_OWN_COMMUNICATOR: u32 = 0x2;
pub const PS_WARM_UP: u32 = 0x4;
pub const PS_HOST_ONLY: u32 = 0x8;
pub const PS_ALLOW_UNAUTHENTICATED: u32 = 0x10;
pub const PS_SERVE: u32 = 0x20;
pub const PS_NO_ENVIRONMENT: u32 = 0x100;
pub const PS_SHARE_DEVICE: u32 = 0x200;

pub const PS_NO_RANK: i32 = -1;
pub const PS_NO_COLOR: i32 = -1;
pub const PS_NEXT: i32 = -101;
pub const PS_PREV: i32 = -102;
