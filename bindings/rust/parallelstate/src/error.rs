//! Errors: a code to compare, and the library's text to read.

use std::ffi::CStr;
use std::fmt;

use parallelstate_sys as sys;

use crate::ResultCode;

/// What all fallible calls of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. The text says what was called, on which group, by which rank, what was found, what would work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: ResultCode,
    message: Box<str>,
}

impl Error {
    pub(crate) fn new(code: ResultCode, message: impl Into<Box<str>>) -> Self {
        Error { code, message: message.into() }
    }

    pub(crate) fn argument(message: impl Into<Box<str>>) -> Self {
        Error::new(ResultCode::ARGUMENT, message)
    }

    /// The error of the call that this thread just made; nothing may come in between.
    pub(crate) fn last(result: sys::psResult) -> Self {
        // SAFETY: never NULL, valid until this thread's next call, copied at once.
        let text = unsafe { CStr::from_ptr(sys::psLastError()) }.to_string_lossy().into_owned();
        let code = ResultCode::from_raw(result);
        Error::new(code, if text.is_empty() { code.name().to_owned() } else { text })
    }

    /// For comparison with the constants of [`ResultCode`].
    pub fn code(&self) -> ResultCode {
        self.code
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// A member ended, or left: make a new group of the survivors.
    pub fn is_peer_failed(&self) -> bool {
        self.code == ResultCode::PEER_FAILED
    }

    /// A deadline passed, or the time that this call was ready to wait.
    pub fn is_timeout(&self) -> bool {
        self.code == ResultCode::TIMEOUT
    }

    /// Somebody aborted the group or the context.
    pub fn is_aborted(&self) -> bool {
        self.code == ResultCode::ABORTED
    }

    /// Ranks made different calls; the text names both.
    pub fn is_mismatch(&self) -> bool {
        self.code == ResultCode::MISMATCH
    }

    /// Nothing was sent, the group is unharmed, the call took no place in the order.
    pub fn is_refusal(&self) -> bool {
        [ResultCode::ARGUMENT, ResultCode::STATE, ResultCode::UNSUPPORTED].contains(&self.code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<sys::LoadError> for Error {
    fn from(error: sys::LoadError) -> Self {
        Error::new(ResultCode::NOT_FOUND, error.to_string())
    }
}

/// The result of the call that this thread just made.
pub(crate) fn check(result: sys::psResult) -> Result<()> {
    if result < sys::PS_OK {
        Err(Error::last(result))
    } else {
        Ok(())
    }
}
