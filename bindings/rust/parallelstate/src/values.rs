//! Texts and times, as they cross to C and back.

use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::time::Duration;

use crate::{Error, Result};

/// A text for C; `what` names it when it cannot be one.
pub(crate) fn c_text(text: &str, what: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::argument(format!("{what} {text:?} contains a NUL character")))
}

/// A text that may be absent, which lives as long as the pointer that C gets.
pub(crate) struct OptionalText(Option<CString>);

impl OptionalText {
    pub(crate) fn new(text: &Option<String>, what: &str) -> Result<Self> {
        text.as_deref().map(|text| c_text(text, what)).transpose().map(OptionalText)
    }

    pub(crate) fn as_ptr(&self) -> *const c_char {
        self.0.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
    }
}

/// A copy of C's text, `None` for NULL.
///
/// # Safety
/// NULL, or a NUL-terminated text.
pub(crate) unsafe fn copied(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a text.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

fn milliseconds(time: Duration) -> i64 {
    // Rounded up: a short wait must not become a poll, nor a short deadline the default.
    i64::try_from((time.as_nanos() + 999_999) / 1_000_000).unwrap_or(i64::MAX)
}

/// For a parameter: `None` is the default, zero is a poll.
pub(crate) fn wait_ms(time: Option<Duration>) -> i64 {
    time.map_or(-1, milliseconds)
}

/// For an option: `None` is the default, zero makes no sense.
pub(crate) fn deadline_ms(time: Option<Duration>, what: &str) -> Result<i64> {
    match time.map_or(-1, milliseconds) {
        0 => Err(Error::argument(format!("{what} is zero; give a time above zero, or none for the default"))),
        milliseconds => Ok(milliseconds),
    }
}

/// C's "none" is a negative number.
pub(crate) fn non_negative(number: i32) -> Option<i32> {
    (number >= 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up() {
        assert_eq!(wait_ms(None), -1);
        assert_eq!(wait_ms(Some(Duration::ZERO)), 0);
        assert_eq!(wait_ms(Some(Duration::from_nanos(1))), 1);
        assert_eq!(wait_ms(Some(Duration::MAX)), i64::MAX);
        assert_eq!(deadline_ms(Some(Duration::from_micros(1001)), "timeout"), Ok(2));
        assert!(deadline_ms(Some(Duration::ZERO), "timeout").unwrap_err().message().starts_with("timeout is zero"));
    }

    #[test]
    fn a_text_with_nul_is_refused() {
        assert!(c_text("a\0b", "key").unwrap_err().message().starts_with("key \"a\\0b\" contains"));
        assert!(OptionalText::new(&None, "name").unwrap().as_ptr().is_null());
    }
}
