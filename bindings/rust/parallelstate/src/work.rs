//! An asynchronous operation that owns its buffers.

use std::fmt;
use std::os::raw::c_void;
use std::sync::Arc;
use std::time::Duration;

use crate::group::Handle;
use crate::operation::Operation;
use crate::parked::{self, Parked};
use crate::{Error, Result};

/// An asynchronous operation and its buffers `B`: a vector, a pair of them (send, recv), or nothing.
///
/// [`wait`](Self::wait) for it. One that is dropped goes on: its buffers live until it is complete, and are freed by a
/// later call of this crate, or when its context ends. Dropping it never blocks. So that the peers see the operation
/// complete, the context has to live until then.
///
/// Nothing can reach the buffers before the operation is complete:
///
/// ```compile_fail
/// # use parallelstate::{Group, ReduceOp, Result};
/// fn peek(group: &Group) -> Result<f32> {
///     let data = vec![1.0f32; 4];
///     let work = group.all_reduce_async(data, ReduceOp::SUM)?;
///     let first = data[0]; // moved into the work
///     work.wait()?;
///     Ok(first)
/// }
/// ```
#[must_use = "the buffers come back by `wait`; what is dropped goes on without them"]
pub struct Work<B: Send + 'static = ()> {
    // `None` only while `self` is taken apart.
    parts: Option<Parts<B>>,
}

struct Parts<B> {
    operation: Operation,
    buffers: B,
    group: Arc<Handle>,
}

impl<B: Send + 'static> Work<B> {
    pub(crate) fn new(operation: Operation, buffers: B, group: Arc<Handle>) -> Self {
        Work { parts: Some(Parts { operation, buffers, group }) }
    }

    fn operation(&mut self) -> &mut Operation {
        &mut self.parts.as_mut().expect("taken apart by value only").operation
    }

    fn take(&mut self) -> Parts<B> {
        self.parts.take().expect("taken apart by value only")
    }

    /// Waits until the data is there and returns the buffers; or the operation's error, and the buffers are gone.
    pub fn wait(self) -> Result<B> {
        let (result, buffers) = self.finish();
        result.map(|()| buffers)
    }

    /// Waits until the operation is complete and returns the buffers with its result. After a failure their contents
    /// are not defined.
    pub fn finish(mut self) -> (Result<()>, B) {
        let result = self.operation().wait(None);
        (result, self.take().buffers)
    }

    /// Waits for the operation, but no longer than `timeout`.
    ///
    /// A `TIMEOUT` while [`is_done`](Self::is_done) is false is this wait's: nothing failed, the text says who is
    /// missing.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.operation().wait(Some(timeout))
    }

    /// `true` when the data is there, `false` while it is in progress, or the operation's error. Never blocks.
    pub fn test(&mut self) -> Result<bool> {
        let operation = self.operation();
        if operation.poll() {
            operation.outcome().map(|()| true)
        } else {
            Ok(false)
        }
    }

    /// Whether the operation is complete, with success or not. Never blocks.
    pub fn is_done(&mut self) -> bool {
        self.operation().poll()
    }

    /// The operation's error, `None` while there is none. Never blocks.
    pub fn error(&mut self) -> Option<&Error> {
        let operation = self.operation();
        operation.poll();
        operation.failure()
    }

    /// The buffers, if the operation is complete, with success or not; else the work itself. Never blocks.
    pub fn into_buffers(mut self) -> std::result::Result<B, Self> {
        if self.is_done() {
            Ok(self.take().buffers)
        } else {
            Err(self)
        }
    }

    /// For device memory: what is queued on `stream` later runs after the operation. For host memory the same as
    /// waiting.
    ///
    /// # Safety
    /// `stream` is a stream of the device that the buffers are on; for host memory it is ignored.
    pub unsafe fn order(&mut self, stream: *mut c_void, timeout: Option<Duration>) -> Result<()> {
        // SAFETY: as here.
        unsafe { self.operation().order(stream, timeout) }
    }
}

impl<B: Send + 'static> Drop for Work<B> {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            if !parts.operation.poll() {
                parked::park(Parked {
                    operation: parts.operation,
                    _buffers: Box::new(parts.buffers),
                    _group: parts.group,
                });
            }
        }
    }
}

impl<B: Send + 'static> fmt::Debug for Work<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settled = self.parts.as_ref().map_or(true, |parts| parts.operation.is_settled());
        formatter.write_str(if settled { "Work(complete)" } else { "Work(started)" })
    }
}
