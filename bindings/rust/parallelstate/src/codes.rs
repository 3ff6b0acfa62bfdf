//! C's enumerations as integers with names: a newer library may return values that this version does not name.

use std::fmt;

use parallelstate_sys as sys;

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $type:ident {
            $($(#[$value_doc:meta])* $name:ident = $value:ident,)*
        }
    )*) => {$(
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type(i32);

        impl $type {
            $($(#[$value_doc])* pub const $name: Self = Self(sys::$value);)*

            /// The value as C has it.
            pub const fn from_raw(value: i32) -> Self {
                Self(value)
            }

            /// The value as C has it.
            pub const fn as_raw(self) -> i32 {
                self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Self::$name => formatter.write_str(concat!(stringify!($type), "::", stringify!($name))),)*
                    Self(value) => write!(formatter, "{}({})", stringify!($type), value),
                }
            }
        }
    )*};
}

codes! {
    /// What a call returned; in an [`Error`](crate::Error), why it failed.
    ResultCode {
        /// Success.
        OK = PS_OK,
        /// Not complete yet.
        IN_PROGRESS = PS_IN_PROGRESS,
        /// Refused: an argument is wrong.
        ARGUMENT = PS_ERR_ARGUMENT,
        /// Refused: the object can no longer do this.
        STATE = PS_ERR_STATE,
        /// Refused: this build, backend or type cannot do this.
        UNSUPPORTED = PS_ERR_UNSUPPORTED,
        /// Memory ran out.
        NO_MEMORY = PS_ERR_NO_MEMORY,
        /// The operating system refused something.
        SYSTEM = PS_ERR_SYSTEM,
        /// A member ended, or left.
        PEER_FAILED = PS_ERR_PEER_FAILED,
        /// A deadline passed, or the time that this call was ready to wait.
        TIMEOUT = PS_ERR_TIMEOUT,
        /// Somebody aborted the group or the context.
        ABORTED = PS_ERR_ABORTED,
        /// What carries the data failed.
        BACKEND = PS_ERR_BACKEND,
        /// A defect of the library.
        INTERNAL = PS_ERR_INTERNAL,
        /// Ranks made different calls.
        MISMATCH = PS_ERR_MISMATCH,
        /// There is no such thing.
        NOT_FOUND = PS_ERR_NOT_FOUND,
        /// The store was closed.
        CLOSED = PS_ERR_CLOSED,
        /// A wrong secret, or none.
        DENIED = PS_ERR_DENIED,
    }

    /// The type of an element in a buffer.
    DataType {
        /// `i8`
        INT8 = PS_INT8,
        /// `i16`
        INT16 = PS_INT16,
        /// `i32`
        INT32 = PS_INT32,
        /// `i64`
        INT64 = PS_INT64,
        /// `u8`
        UINT8 = PS_UINT8,
        /// `u16`
        UINT16 = PS_UINT16,
        /// `u32`
        UINT32 = PS_UINT32,
        /// `u64`
        UINT64 = PS_UINT64,
        /// IEEE binary16, `half::f16`
        FLOAT16 = PS_FLOAT16,
        /// `half::bf16`
        BFLOAT16 = PS_BFLOAT16,
        /// `f32`
        FLOAT32 = PS_FLOAT32,
        /// `f64`
        FLOAT64 = PS_FLOAT64,
        /// [`F8E4M3`](crate::F8E4M3)
        FLOAT8_E4M3 = PS_FLOAT8_E4M3,
        /// [`F8E5M2`](crate::F8E5M2)
        FLOAT8_E5M2 = PS_FLOAT8_E5M2,
        /// [`Bool8`](crate::Bool8)
        BOOL = PS_BOOL,
    }

    /// A reduction. It accumulates in rank order, so all ranks get the same bits. [`PremulSum`](crate::PremulSum) is
    /// one more.
    ReduceOp {
        /// All types but bool; integers wrap.
        SUM = PS_SUM,
        /// All types but bool; integers wrap.
        PRODUCT = PS_PRODUCT,
        /// All types but bool; NaN if any input is.
        MIN = PS_MIN,
        /// All types but bool; NaN if any input is.
        MAX = PS_MAX,
        /// The sum, divided once at the end; integers divide towards zero.
        AVG = PS_AVG,
        /// Integers.
        BIT_AND = PS_BIT_AND,
        /// Integers.
        BIT_OR = PS_BIT_OR,
        /// Integers.
        BIT_XOR = PS_BIT_XOR,
        /// [`Bool8`](crate::Bool8).
        LOGICAL_AND = PS_LOGICAL_AND,
        /// [`Bool8`](crate::Bool8).
        LOGICAL_OR = PS_LOGICAL_OR,
        /// [`Bool8`](crate::Bool8).
        LOGICAL_XOR = PS_LOGICAL_XOR,
    }

    /// What the bytes of a part of [`Bytes`](crate::Bytes) are. From [`USER`](Self::USER) on they are the program's.
    ContentType {
        /// Anything.
        BYTES = PS_CONTENT_BYTES,
        /// UTF-8.
        TEXT = PS_CONTENT_TEXT,
        /// JSON.
        JSON = PS_CONTENT_JSON,
        /// The bindings' common encoding.
        PLAIN = PS_CONTENT_PLAIN,
        /// A dictionary in the common encoding.
        DICT = PS_CONTENT_DICT,
        /// 8 bytes, little-endian.
        INT64 = PS_CONTENT_INT64,
        /// 8 bytes, little-endian.
        FLOAT64 = PS_CONTENT_FLOAT64,
        /// 1 byte.
        BOOL = PS_CONTENT_BOOL,
        /// Python's pickle.
        PICKLE = PS_CONTENT_PICKLE,
        /// The first of the program's own.
        USER = PS_CONTENT_USER,
    }

    /// How much is logged.
    LogLevel {
        /// Nothing.
        OFF = PS_LOG_OFF,
        /// Failures.
        ERROR = PS_LOG_ERROR,
        /// What may become one.
        WARN = PS_LOG_WARN,
        /// The course of events.
        INFO = PS_LOG_INFO,
        /// For those who look for a cause.
        DEBUG = PS_LOG_DEBUG,
        /// Everything.
        TRACE = PS_LOG_TRACE,
    }

    /// How device operations compare their signatures; host operations always do, before any output is written.
    CheckMode {
        /// Not at all.
        OFF = PS_CHECK_OFF,
        /// Afterwards.
        LATE = PS_CHECK_LATE,
        /// Before.
        STRICT = PS_CHECK_STRICT,
    }

    /// How a rank is.
    RankState {
        /// Its heartbeat is heard.
        ALIVE = PS_RANK_ALIVE,
        /// No heartbeat for a second or more: stopped, or starved of CPU.
        SILENT = PS_RANK_SILENT,
        /// Left by finalizing its context.
        LEFT = PS_RANK_LEFT,
        /// Its process ended without.
        DEAD = PS_RANK_DEAD,
    }
}

impl fmt::Display for ResultCode {
    /// C's name of the constant, `PS_ERR_TIMEOUT`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl ResultCode {
    /// C's name of the constant, `PS_ERR_TIMEOUT`; "unknown result" for what the library does not know.
    pub fn name(self) -> &'static str {
        if sys::load().is_err() {
            return "unknown result";
        }
        // SAFETY: a static string for every number.
        let name = unsafe { std::ffi::CStr::from_ptr(sys::psResultName(self.0)) };
        name.to_str().unwrap_or("unknown result")
    }
}

/// As source or destination: the next rank in the ring of the group.
pub const NEXT: i32 = sys::PS_NEXT;
/// As source or destination: the previous rank in the ring of the group.
pub const PREV: i32 = sys::PS_PREV;
