//! The state of an asynchronous operation, without its buffers.

use std::os::raw::c_void;
use std::ptr;
use std::time::Duration;

use parallelstate_sys as sys;

use crate::values::{copied, wait_ms};
use crate::{Error, Result, ResultCode};

/// A work of the library until it is complete; then what became of it. Whoever owns it and its buffers keeps the
/// buffers until `is_settled`: the library touches none of them any more.
#[derive(Debug)]
pub(crate) struct Operation {
    work: sys::psWork,
    failure: Option<Error>,
}

// SAFETY: "A work is waited on by one thread at a time": whatever calls the library takes `&mut self`.
unsafe impl Send for Operation {}
unsafe impl Sync for Operation {}

impl Operation {
    /// # Safety
    /// A handle that the library just gave, and that nobody else frees.
    pub(crate) unsafe fn from_raw(work: sys::psWork) -> Self {
        Operation { work, failure: None }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.work.is_null()
    }

    /// The failure of a settled operation.
    pub(crate) fn outcome(&self) -> Result<()> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Whether it is complete, with success or not. Never blocks.
    pub(crate) fn poll(&mut self) -> bool {
        if !self.is_settled() {
            // SAFETY: a living handle, used by this thread alone.
            let result = unsafe { sys::psWorkTest(self.work) };
            if result == sys::PS_IN_PROGRESS {
                return false;
            }
            self.settle(result);
        }
        true
    }

    /// Waits; the error is the operation's when it is settled afterwards, else only this wait ran out.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Result<()> {
        while !self.is_settled() {
            // SAFETY: a living handle, used by this thread alone.
            let result = unsafe { sys::psWorkWait(self.work, wait_ms(timeout)) };
            if result != sys::PS_ERR_TIMEOUT {
                self.settle(result);
                break;
            }
            // Either this wait or the operation ran out of time; the first harms nothing.
            let error = Error::last(result);
            if !self.poll() && timeout.is_some() {
                return Err(error);
            }
        }
        self.outcome()
    }

    /// Orders `stream` after the operation; it need not be complete then.
    ///
    /// # Safety
    /// `stream` is a stream of the device that the buffers are on, or these are on the host.
    pub(crate) unsafe fn order(&mut self, stream: *mut c_void, timeout: Option<Duration>) -> Result<()> {
        if self.is_settled() {
            return self.outcome();
        }
        // SAFETY: a living handle, used by this thread alone; the stream is as here.
        let result = unsafe { sys::psWorkOrder(self.work, stream, wait_ms(timeout)) };
        if result >= sys::PS_OK {
            return Ok(());
        }
        let error = Error::last(result);
        if self.poll() {
            self.outcome()
        } else {
            Err(error)
        }
    }

    /// Waits as long as it takes, which its deadline bounds, and makes sure that the library has let go of its buffers.
    pub(crate) fn finish(&mut self) {
        let _ = self.wait(None);
    }

    /// Keeps the result, and frees the work: after that the library touches no buffer of it.
    fn settle(&mut self, result: sys::psResult) {
        if result < sys::PS_OK {
            self.failure = Some(self.error(result));
        }
        let work = std::mem::replace(&mut self.work, ptr::null_mut());
        // SAFETY: freed once, here.
        unsafe { sys::psWorkFree(work) };
    }

    fn error(&self, result: sys::psResult) -> Error {
        let last = Error::last(result);
        let mut text = ptr::null();
        // SAFETY: a living handle; the text lives until psWorkFree and is copied.
        let own = unsafe {
            match sys::psWorkError(self.work, &mut text) {
                sys::PS_OK => copied(text).filter(|text| !text.is_empty()),
                _ => None,
            }
        };
        own.map_or(last, |text| Error::new(ResultCode::from_raw(result), text))
    }
}
