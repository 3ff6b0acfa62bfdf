//! Handles, integer types and structs.

use std::marker::{PhantomData, PhantomPinned};
use std::os::raw::{c_char, c_void};

#[allow(unused_imports)] // for the links in the documentation
use crate::functions::*;

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident = $object:ident;)*) => {$(
        #[doc = concat!("What a [`", stringify!($name), "`] points to.")]
        #[repr(C)]
        pub struct $object {
            _opaque: [u8; 0],
            _neither_send_nor_unpin: PhantomData<(*mut u8, PhantomPinned)>,
        }

        $(#[$doc])*
        pub type $name = *mut $object;
    )*};
}

handles! {
    /// One rank of one world.
    psContext = psContextImpl;
    /// A key-value store.
    psStore = psStoreImpl;
    /// An ordered set of ranks and the order of operations on it.
    psGroup = psGroupImpl;
    /// An asynchronous operation.
    psWork = psWorkImpl;
    /// Which ranks of a world form which groups, as data.
    psLayout = psLayoutImpl;
    /// An immutable list of byte strings.
    psBytes = psBytesImpl;
}

/// `PS_OK`, `PS_IN_PROGRESS`, or a negative error.
pub type psResult = i32;
/// The type of an element.
pub type psDataType = i32;
/// A reduction.
pub type psReduceOp = i32;
/// What the bytes of a part are.
pub type psContentType = i32;
/// Where memory is, numbered as in DLPack.
pub type psDeviceType = i32;
/// How much is logged.
pub type psLogLevel = i32;
/// How device operations compare their signatures.
pub type psCheckMode = i32;
/// How a rank is.
pub type psRankState = i32;
/// The direction of a message.
pub type psDirection = i32;

/// A log sink, or none. `text` is one line, borrowed.
pub type psLogFunction = Option<unsafe extern "C" fn(user: *mut c_void, level: psLogLevel, text: *const c_char)>;

macro_rules! structs {
    ($($(#[$doc:meta])* struct $name:ident { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[allow(missing_docs)]
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            pub struct_size: u32,
            $(pub $field: $type,)*
        }

        impl Default for $name {
            /// The struct as its `PS_*_INIT` macro makes it: zero, with its size set.
            fn default() -> Self {
                // SAFETY: integers, pointers and an optional function may all be zero.
                let mut zero: Self = unsafe { std::mem::zeroed() };
                zero.struct_size = std::mem::size_of::<Self>() as u32;
                zero
            }
        }
    )*};
}

structs! {
    /// How a rank joins; what is zero comes from the environment, then from the default.
    struct psConfig {
        flags: u32,
        rank: i32,
        world_size: i32,
        local_rank: i32,
        local_size: i32,
        replica: i32,
        replica_count: i32,
        rendezvous: *const c_char,
        job: *const c_char,
        secret: *const c_char,
        network: *const c_char,
        device: *const c_char,
        backend: *const c_char,
        dispatch: *const c_char,
        plugins: *const c_char,
        nccl_library: *const c_char,
        log: psLogFunction,
        log_user: *mut c_void,
        timeout_ms: i64,
        init_timeout_ms: i64,
        max_object_bytes: u64,
        host_buffer_bytes: u64,
        log_level: psLogLevel,
        check_mode: psCheckMode,
    }

    /// What [`psGetWorldInfo`] fills.
    struct psWorldInfo {
        rank: i32,
        world_size: i32,
        local_rank: i32,
        local_size: i32,
        node: i32,
        node_count: i32,
        replica: i32,
        replica_count: i32,
        device_index: i32,
        failure: psResult,
        failed_global_rank: i32,
        failure_text: *const c_char,
        layout_spec: *const c_char,
        worker_suffix: *const c_char,
    }

    /// What [`psGetRankInfo`] fills.
    struct psRankInfo {
        state: psRankState,
        node: i32,
        local_rank: i32,
        pid: i32,
        device_index: i32,
        hostname: *const c_char,
        address: *const c_char,
        silent_ms: i64,
    }

    /// How a store is opened.
    struct psStoreOptions {
        flags: u32,
        secret: *const c_char,
        network: *const c_char,
        timeout_ms: i64,
        max_value_bytes: u64,
    }

    /// How a group is made.
    struct psGroupOptions {
        flags: u32,
        name: *const c_char,
        backend: *const c_char,
        backend_options: *const c_char,
        timeout_ms: i64,
        max_object_bytes: u64,
        host_buffer_bytes: u64,
    }

    /// What [`psGetGroupInfo`] fills.
    struct psGroupInfo {
        rank: i32,
        size: i32,
        host_count: i32,
        global_rank: i32,
        global_first: i32,
        global_last: i32,
        global_next: i32,
        global_prev: i32,
        flags: u32,
        failure: psResult,
        failed_global_rank: i32,
        failure_text: *const c_char,
        name: *const c_char,
        host_backend: *const c_char,
        device_backend: *const c_char,
        timeout_ms: i64,
    }

    /// What [`psGetLayoutInfo`] fills.
    struct psLayoutInfo {
        world_size: i32,
        hash: u64,
        name_count: usize,
        axis_count: usize,
        spec: *const c_char,
    }

    /// How the groups of a layout are made.
    struct psModelParallelOptions {
        flags: u32,
        backend_options: *const c_char,
        timeout_ms: i64,
    }

    /// One message of [`psBatch`].
    struct psMessage {
        direction: psDirection,
        buffer: *mut c_void,
        count: usize,
        dtype: psDataType,
        peer: i32,
        tag: i32,
        flags: u32,
    }
}
