//! Every function, once: what is linked and what is looked up at run time come from the same list.

use std::os::raw::{c_char, c_void};

use crate::*;

macro_rules! functions {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;
    )*) => {
        #[cfg(not(feature = "load"))]
        extern "C" {
            $(
                $(#[$doc])*
                pub fn $name($($argument: $type),*) -> $result;
            )*
        }

        /// The addresses of all functions in a library that was opened.
        #[cfg(feature = "load")]
        pub(crate) struct Functions {
            $(pub(crate) $name: unsafe extern "C" fn($($type),*) -> $result,)*
        }

        #[cfg(feature = "load")]
        impl Functions {
            /// `find` gives the address of a symbol. The error is the name of the first that is missing.
            ///
            /// # Safety
            /// The addresses are those of functions with the signatures in this file.
            pub(crate) unsafe fn find(find: impl Fn(&str) -> Option<*mut c_void>) -> Result<Self, &'static str> {
                Ok(Functions {
                    $($name: match find(stringify!($name)) {
                        Some(address) => std::mem::transmute::<
                            *mut c_void,
                            unsafe extern "C" fn($($type),*) -> $result,
                        >(address),
                        None => return Err(stringify!($name)),
                    },)*
                })
            }
        }

        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// What `parallelstate.h` says of it.
            ///
            /// # Panics
            /// If [`load`](crate::load()) has not succeeded before.
            #[cfg(feature = "load")]
            #[allow(clippy::too_many_arguments)]
            pub unsafe fn $name($($argument: $type),*) -> $result {
                (loading::functions().$name)($($argument),*)
            }
        )*

        /// The names of all functions.
        pub const FUNCTIONS: &[&str] = &[$(stringify!($name)),*];
    };
}

functions! {
    /// The library's `PS_VERSION`.
    fn psVersion() -> i32;
    /// The constant's name.
    fn psResultName(result: psResult) -> *const c_char;
    /// The text of the last failing call on this thread.
    fn psLastError() -> *const c_char;
    /// JSON about the library, without a context.
    fn psGetLibraryInfo(json: *mut psBytes) -> psResult;
    /// The number of parts.
    fn psBytesCount(bytes: psBytes, count: *mut usize) -> psResult;
    /// Data, size and content type of a part.
    fn psBytesAt(
        bytes: psBytes,
        index: usize,
        data: *mut *const c_void,
        size: *mut usize,
        content_type: *mut psContentType,
    ) -> psResult;
    /// Frees it.
    fn psBytesFree(bytes: psBytes) -> psResult;
    /// Joins the world.
    fn psInit(config: *const psConfig, context: *mut psContext) -> psResult;
    /// Leaves the world; consumes the handle whatever it returns.
    fn psFinalize(context: psContext) -> psResult;
    /// Fails every group of the context.
    fn psAbort(context: psContext, reason: *const c_char) -> psResult;
    /// About the world and this rank.
    fn psGetWorldInfo(context: psContext, info: *mut psWorldInfo) -> psResult;
    /// About one rank of the world.
    fn psGetRankInfo(context: psContext, global_rank: i32, info: *mut psRankInfo) -> psResult;
    /// JSON about the context.
    fn psDescribe(context: psContext, json: *mut psBytes) -> psResult;
    /// A store without a world.
    fn psStoreOpen(url: *const c_char, options: *const psStoreOptions, store: *mut psStore) -> psResult;
    /// Drops one reference.
    fn psStoreFree(store: psStore) -> psResult;
    /// The world's store, a counted reference.
    fn psGetStore(context: psContext, store: *mut psStore) -> psResult;
    /// What others pass as url or rendezvous.
    fn psStoreAddress(store: psStore, url: *mut *const c_char) -> psResult;
    /// Sets a key.
    fn psStoreSet(
        store: psStore,
        key: *const c_char,
        data: *const c_void,
        size: usize,
        expire_ms: i64,
    ) -> psResult;
    /// Waits until the key exists.
    fn psStoreGet(store: psStore, key: *const c_char, timeout_ms: i64, value: *mut psBytes) -> psResult;
    /// Adds atomically.
    fn psStoreAdd(store: psStore, key: *const c_char, delta: i64, value: *mut i64) -> psResult;
    /// Sets the key if it has the expected value.
    fn psStoreCompareAndSet(
        store: psStore,
        key: *const c_char,
        expected: *const c_void,
        expected_size: usize,
        desired: *const c_void,
        desired_size: usize,
        expire_ms: i64,
        swapped: *mut i32,
    ) -> psResult;
    /// Deletes a key.
    fn psStoreDelete(store: psStore, key: *const c_char, existed: *mut i32) -> psResult;
    /// A counted reference to a group of the context.
    fn psGetGroup(context: psContext, name: *const c_char, group: *mut psGroup) -> psResult;
    /// A group of the listed world ranks.
    fn psNewGroup(
        context: psContext,
        global_ranks: *const i32,
        count: usize,
        options: *const psGroupOptions,
        group: *mut psGroup,
    ) -> psResult;
    /// Groups of the members with equal colour.
    fn psSplitGroup(
        group: psGroup,
        color: i32,
        key: i32,
        options: *const psGroupOptions,
        part: *mut psGroup,
    ) -> psResult;
    /// Drops one reference.
    fn psGroupFree(group: psGroup) -> psResult;
    /// About the group, now.
    fn psGetGroupInfo(group: psGroup, info: *mut psGroupInfo) -> psResult;
    /// The members' world ranks.
    fn psGroupGlobalRanks(
        group: psGroup,
        global_ranks: *mut i32,
        capacity: usize,
        count: *mut usize,
    ) -> psResult;
    /// World rank to rank in the group.
    fn psGroupFindGlobal(group: psGroup, global_rank: i32, rank: *mut i32) -> psResult;
    /// Which members share memory with one.
    fn psSameHost(
        group: psGroup,
        source: i32,
        same: *mut i32,
        capacity: usize,
        count: *mut usize,
    ) -> psResult;
    /// The deadline of later operations.
    fn psGroupSetTimeout(group: psGroup, timeout_ms: i64) -> psResult;
    /// Ends blocked calls here and on every member.
    fn psGroupAbort(group: psGroup, reason: *const c_char) -> psResult;
    /// The groups of a spec in a world of that size.
    fn psLayoutCreate(spec: *const c_char, world_size: i32, layout: *mut psLayout) -> psResult;
    /// Frees it.
    fn psLayoutFree(layout: psLayout) -> psResult;
    /// About a layout.
    fn psGetLayoutInfo(layout: psLayout, info: *mut psLayoutInfo) -> psResult;
    /// The name of a kind of groups, and whose alias it is.
    fn psLayoutName(
        layout: psLayout,
        index: usize,
        name: *mut *const c_char,
        alias_of: *mut *const c_char,
    ) -> psResult;
    /// An axis and its size.
    fn psLayoutAxis(layout: psLayout, index: usize, name: *mut *const c_char, size: *mut i32) -> psResult;
    /// How many groups a name has.
    fn psLayoutGroupCount(layout: psLayout, name: *const c_char, count: *mut usize) -> psResult;
    /// The members of one group.
    fn psLayoutGroupRanks(
        layout: psLayout,
        name: *const c_char,
        index: usize,
        global_ranks: *mut i32,
        capacity: usize,
        count: *mut usize,
    ) -> psResult;
    /// The group that has a rank, and its place in it.
    fn psLayoutFind(
        layout: psLayout,
        name: *const c_char,
        global_rank: i32,
        index: *mut usize,
        rank: *mut i32,
    ) -> psResult;
    /// A rank's coordinate on an axis.
    fn psLayoutCoordinate(
        layout: psLayout,
        axis: *const c_char,
        global_rank: i32,
        coordinate: *mut i32,
    ) -> psResult;
    /// JSON about a layout.
    fn psLayoutDescribe(layout: psLayout, json: *mut psBytes) -> psResult;
    /// JSON about what differs.
    fn psLayoutDiff(layout: psLayout, other: psLayout, json: *mut psBytes) -> psResult;
    /// Which layers each pipeline stage holds.
    fn psPipelineLayers(
        rule: *const c_char,
        layers: i64,
        stages: i32,
        partition: *const i64,
        boundaries: *mut i64,
    ) -> psResult;
    /// One of equal parts.
    fn psShardRange(total: i64, parts: i32, index: i32, begin: *mut i64, end: *mut i64) -> psResult;
    /// Makes every group of a layout.
    fn psInitModelParallel(
        context: psContext,
        spec: *const c_char,
        options: *const psModelParallelOptions,
    ) -> psResult;
    /// The same where there is none yet; else compares.
    fn psEnsureModelParallel(
        context: psContext,
        spec: *const c_char,
        options: *const psModelParallelOptions,
    ) -> psResult;
    /// Whether there are groups of a layout.
    fn psModelParallelIsInitialized(context: psContext, initialized: *mut i32) -> psResult;
    /// Drops the groups of the layout.
    fn psDestroyModelParallel(context: psContext) -> psResult;
    /// The reduction, on every rank.
    fn psAllReduce(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        op: psReduceOp,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// The reduction, at the root.
    fn psReduce(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        op: psReduceOp,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// The root's data, on every rank.
    fn psBroadcast(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Every rank's block, on every rank.
    fn psAllGather(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Blocks of any sizes, on every rank.
    fn psAllGatherV(
        group: psGroup,
        send: *const c_void,
        send_count: usize,
        recv: *mut c_void,
        recv_counts: *const usize,
        recv_offsets: *const usize,
        dtype: psDataType,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Every rank's block, at the root.
    fn psGather(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Blocks of any sizes, at the root.
    fn psGatherV(
        group: psGroup,
        send: *const c_void,
        send_count: usize,
        recv: *mut c_void,
        recv_counts: *const usize,
        recv_offsets: *const usize,
        dtype: psDataType,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// A block of the root's to each rank.
    fn psScatter(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Blocks of any sizes from the root.
    fn psScatterV(
        group: psGroup,
        send: *const c_void,
        send_counts: *const usize,
        send_offsets: *const usize,
        recv: *mut c_void,
        recv_count: usize,
        dtype: psDataType,
        root: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// A block of the reduction to each rank.
    fn psReduceScatter(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        op: psReduceOp,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Blocks of any sizes of the reduction.
    fn psReduceScatterV(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        counts: *const usize,
        dtype: psDataType,
        op: psReduceOp,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// A block from each rank to each.
    fn psAllToAll(
        group: psGroup,
        send: *const c_void,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Blocks of any sizes from each rank to each.
    fn psAllToAllV(
        group: psGroup,
        send: *const c_void,
        send_counts: *const usize,
        send_offsets: *const usize,
        recv: *mut c_void,
        recv_counts: *const usize,
        recv_offsets: *const usize,
        dtype: psDataType,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Returns when all members have called it.
    fn psBarrier(group: psGroup, work: *mut psWork) -> psResult;
    /// A reduction that scales this rank's input.
    fn psReduceOpCreate(
        group: psGroup,
        kind: psReduceOp,
        dtype: psDataType,
        scalar: *const c_void,
        op: *mut psReduceOp,
    ) -> psResult;
    /// Frees it; operations in flight keep it.
    fn psReduceOpFree(group: psGroup, op: psReduceOp) -> psResult;
    /// Zeroed memory that all members reach, a part for each.
    fn psMemAlloc(group: psGroup, size: usize, device: psDeviceType, memory: *mut *mut c_void) -> psResult;
    /// Frees it, on all members.
    fn psMemFree(group: psGroup, memory: *mut c_void) -> psResult;
    /// Lets the group's collectives use a range where it is.
    fn psGroupRegister(group: psGroup, memory: *mut c_void, size: usize) -> psResult;
    /// The end of that; the memory stays.
    fn psGroupDeregister(group: psGroup, memory: *mut c_void) -> psResult;
    /// A message to one rank.
    fn psSend(
        group: psGroup,
        send: *const c_void,
        count: usize,
        dtype: psDataType,
        dst: i32,
        tag: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// A message from one rank.
    fn psRecv(
        group: psGroup,
        recv: *mut c_void,
        count: usize,
        dtype: psDataType,
        src: i32,
        tag: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Both at once.
    fn psSendRecv(
        group: psGroup,
        send: *const c_void,
        send_count: usize,
        dst: i32,
        recv: *mut c_void,
        recv_count: usize,
        src: i32,
        dtype: psDataType,
        tag: i32,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Messages that start together.
    fn psBatch(
        group: psGroup,
        messages: *const psMessage,
        count: usize,
        stream: *mut c_void,
        work: *mut psWork,
    ) -> psResult;
    /// Whether it is complete.
    fn psWorkTest(work: psWork) -> psResult;
    /// Waits for it.
    fn psWorkWait(work: psWork, timeout_ms: i64) -> psResult;
    /// Orders a stream after it.
    fn psWorkOrder(work: psWork, stream: *mut c_void, timeout_ms: i64) -> psResult;
    /// Its error text.
    fn psWorkError(work: psWork, text: *mut *const c_char) -> psResult;
    /// Waits for it where it is unfinished, and frees it.
    fn psWorkFree(work: psWork) -> psResult;
}
