//! Operations on pointers: what all other forms are made of, and the form for device memory.

use std::marker::PhantomData;
use std::os::raw::c_void;
use std::ptr;
use std::sync::Arc;

use parallelstate_sys as sys;

use crate::error::check;
use crate::operation::Operation;
use crate::{parked, DataType, Group, ReduceOp, Result, Work};

mod sealed {
    pub trait Sealed {}
}

/// How an operation of [`Raw`] ends. Sealed: `()` returns when the data is there (host memory) or when the operation is
/// queued on the stream (device memory), [`Work`] returns at once.
pub trait Completion: sealed::Sealed + Sized {
    /// Makes the call, which gets a place for a work or NULL.
    ///
    /// # Safety
    /// The call starts an operation on `group` with what it gets.
    #[doc(hidden)]
    unsafe fn start(group: &Group, call: impl FnOnce(*mut sys::psWork) -> sys::psResult) -> Result<Self>;
}

impl sealed::Sealed for () {}
impl Completion for () {
    unsafe fn start(_: &Group, call: impl FnOnce(*mut sys::psWork) -> sys::psResult) -> Result<()> {
        parked::sweep();
        check(call(ptr::null_mut()))
    }
}

impl sealed::Sealed for Operation {}
impl Completion for Operation {
    unsafe fn start(_: &Group, call: impl FnOnce(*mut sys::psWork) -> sys::psResult) -> Result<Operation> {
        parked::sweep();
        let mut work = ptr::null_mut();
        check(call(&mut work))?;
        // SAFETY: the library just gave it.
        Ok(unsafe { Operation::from_raw(work) })
    }
}

impl sealed::Sealed for Work {}
impl Completion for Work {
    unsafe fn start(group: &Group, call: impl FnOnce(*mut sys::psWork) -> sys::psResult) -> Result<Work> {
        // SAFETY: as here.
        let operation = unsafe { Operation::start(group, call)? };
        Ok(Work::new(operation, (), Arc::clone(group.handle())))
    }
}

/// The operations of a group on pointers, made by [`Group::raw`] and [`Group::raw_async`]. Arguments are those of
/// `parallelstate.h`; `W` is what an operation returns.
///
/// # Safety
/// Of every operation: pointers to as many elements of the type as the counts and offsets say, in host memory or in
/// memory of the device that `stream` belongs to; arrays with an entry a rank, or NULL where `parallelstate.h` allows
/// that. Nothing else writes to what is sent, nor touches what is received, until the operation is complete: when it
/// returns (`()`, host memory), when the stream has run it (`()`, device memory), or when the [`Work`] is done. A work
/// that is dropped goes on: the buffers then have to live until its context has ended.
#[derive(Debug)]
pub struct Raw<'g, W> {
    group: &'g Group,
    stream: *mut c_void,
    completion: PhantomData<W>,
}

impl<W> Clone for Raw<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Raw<'_, W> {}

/// One message of [`Raw::batch`].
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct RawMessage(sys::psMessage);

impl RawMessage {
    /// `count` elements to `dst`.
    pub fn send(buffer: *const c_void, count: usize, dtype: DataType, dst: i32, tag: i32) -> Self {
        // The library does not write to what is sent.
        RawMessage::new(sys::PS_SEND, buffer as *mut c_void, count, dtype, dst, tag)
    }

    /// `count` elements from `src`.
    pub fn recv(buffer: *mut c_void, count: usize, dtype: DataType, src: i32, tag: i32) -> Self {
        RawMessage::new(sys::PS_RECV, buffer, count, dtype, src, tag)
    }

    fn new(direction: i32, buffer: *mut c_void, count: usize, dtype: DataType, peer: i32, tag: i32) -> Self {
        let dtype = dtype.as_raw();
        RawMessage(sys::psMessage { direction, buffer, count, dtype, peer, tag, ..sys::psMessage::default() })
    }
}

impl Group {
    /// The operations on pointers, blocking (host memory) or queued on `stream` (device memory). NULL is CUDA's default
    /// stream; for host memory it is ignored.
    pub fn raw(&self, stream: *mut c_void) -> Raw<'_, ()> {
        Raw { group: self, stream, completion: PhantomData }
    }

    /// The operations on pointers, each of which returns a [`Work`] at once.
    pub fn raw_async(&self, stream: *mut c_void) -> Raw<'_, Work> {
        Raw { group: self, stream, completion: PhantomData }
    }

    pub(crate) fn raw_operation(&self) -> Raw<'_, Operation> {
        Raw { group: self, stream: ptr::null_mut(), completion: PhantomData }
    }
}

macro_rules! raw_operations {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($argument:ident: $type:ty),*)
            = $function:ident($group:ident, $($passed:expr),*; $stream:ident);
    )*) => {
        impl<W: Completion> Raw<'_, W> {
            $(
                $(#[$doc])*
                ///
                /// # Safety
                /// As said at [`Raw`].
                #[allow(clippy::too_many_arguments)]
                pub unsafe fn $name(self, $($argument: $type),*) -> Result<W> {
                    let ($group, $stream) = (self.group.as_raw(), self.stream);
                    // SAFETY: the caller's promise.
                    unsafe { W::start(self.group, |work| sys::$function($group, $($passed,)* $stream, work)) }
                }
            )*
        }
    };
}

raw_operations! {
    /// `count` in, `count` out.
    fn all_reduce(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, op: ReduceOp)
        = psAllReduce(group, send, recv, count, dtype.as_raw(), op.as_raw(); stream);
    /// `count` in, `count` out at the root.
    fn reduce(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, op: ReduceOp, root: i32)
        = psReduce(group, send, recv, count, dtype.as_raw(), op.as_raw(), root; stream);
    /// `count` from the root's `send` to `recv` on every rank.
    fn broadcast(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, root: i32)
        = psBroadcast(group, send, recv, count, dtype.as_raw(), root; stream);
    /// `count` from each rank, size * `count` out.
    fn all_gather(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType)
        = psAllGather(group, send, recv, count, dtype.as_raw(); stream);
    /// As [`all_gather`](Self::all_gather), with blocks of any sizes, equal on all ranks.
    fn all_gather_v(send: *const c_void, send_count: usize, recv: *mut c_void, recv_counts: *const usize,
        recv_offsets: *const usize, dtype: DataType)
        = psAllGatherV(group, send, send_count, recv, recv_counts, recv_offsets, dtype.as_raw(); stream);
    /// `count` from each, size * `count` at the root.
    fn gather(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, root: i32)
        = psGather(group, send, recv, count, dtype.as_raw(), root; stream);
    /// As [`gather`](Self::gather), with blocks of any sizes.
    fn gather_v(send: *const c_void, send_count: usize, recv: *mut c_void, recv_counts: *const usize,
        recv_offsets: *const usize, dtype: DataType, root: i32)
        = psGatherV(group, send, send_count, recv, recv_counts, recv_offsets, dtype.as_raw(), root; stream);
    /// size * `count` at the root, `count` to each.
    fn scatter(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, root: i32)
        = psScatter(group, send, recv, count, dtype.as_raw(), root; stream);
    /// As [`scatter`](Self::scatter), with blocks of any sizes.
    fn scatter_v(send: *const c_void, send_counts: *const usize, send_offsets: *const usize, recv: *mut c_void,
        recv_count: usize, dtype: DataType, root: i32)
        = psScatterV(group, send, send_counts, send_offsets, recv, recv_count, dtype.as_raw(), root; stream);
    /// size * `count` in, `count` out.
    fn reduce_scatter(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType, op: ReduceOp)
        = psReduceScatter(group, send, recv, count, dtype.as_raw(), op.as_raw(); stream);
    /// As [`reduce_scatter`](Self::reduce_scatter), with blocks of any sizes, equal on all ranks.
    fn reduce_scatter_v(send: *const c_void, recv: *mut c_void, counts: *const usize, dtype: DataType, op: ReduceOp)
        = psReduceScatterV(group, send, recv, counts, dtype.as_raw(), op.as_raw(); stream);
    /// size * `count` in and out; block q goes to rank q.
    fn all_to_all(send: *const c_void, recv: *mut c_void, count: usize, dtype: DataType)
        = psAllToAll(group, send, recv, count, dtype.as_raw(); stream);
    /// As [`all_to_all`](Self::all_to_all), with blocks of any sizes.
    fn all_to_all_v(send: *const c_void, send_counts: *const usize, send_offsets: *const usize, recv: *mut c_void,
        recv_counts: *const usize, recv_offsets: *const usize, dtype: DataType)
        = psAllToAllV(group, send, send_counts, send_offsets, recv, recv_counts, recv_offsets, dtype.as_raw(); stream);
    /// A message to `dst`.
    fn send(send: *const c_void, count: usize, dtype: DataType, dst: i32, tag: i32)
        = psSend(group, send, count, dtype.as_raw(), dst, tag; stream);
    /// A message from `src`.
    fn recv(recv: *mut c_void, count: usize, dtype: DataType, src: i32, tag: i32)
        = psRecv(group, recv, count, dtype.as_raw(), src, tag; stream);
    /// Both at once, free of deadlock in a ring.
    fn send_recv(send: *const c_void, send_count: usize, dst: i32, recv: *mut c_void, recv_count: usize, src: i32,
        dtype: DataType, tag: i32)
        = psSendRecv(group, send, send_count, dst, recv, recv_count, src, dtype.as_raw(), tag; stream);
}

impl<W: Completion> Raw<'_, W> {
    /// Messages that start together; the order within a (peer, tag) is that of the slice.
    ///
    /// # Safety
    /// As said at [`Raw`].
    pub unsafe fn batch(self, messages: &[RawMessage]) -> Result<W> {
        let (group, stream) = (self.group.as_raw(), self.stream);
        let first = messages.as_ptr().cast::<sys::psMessage>();
        // SAFETY: the caller's promise; the messages are read during the call only.
        unsafe { W::start(self.group, |work| sys::psBatch(group, first, messages.len(), stream, work)) }
    }

    /// Returns, or is done, when all members have called it. Does not wait for streams.
    pub fn barrier(self) -> Result<W> {
        // SAFETY: there are no buffers.
        unsafe { W::start(self.group, |work| sys::psBarrier(self.group.as_raw(), work)) }
    }
}
