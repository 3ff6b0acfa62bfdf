//! The log function of a context.
//!
//! C gets one callback for all contexts and a number as its `user`, which stands for a function while its context
//! lives: a late line from one of the library's threads finds no function rather than freed memory.

use std::ffi::CStr;
use std::os::raw::{c_char, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parallelstate_sys as sys;

use crate::LogLevel;

pub(crate) type LogFunction = dyn Fn(LogLevel, &str) + Send + Sync;

struct Registry {
    last: usize,
    functions: Vec<(usize, Arc<LogFunction>)>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { last: 0, functions: Vec::new() });

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a function reachable for the callback as long as it lives.
#[derive(Debug)]
pub(crate) struct Registered(usize);

impl Registered {
    pub(crate) fn new(function: Arc<LogFunction>) -> Self {
        let mut registry = registry();
        registry.last += 1;
        let number = registry.last;
        registry.functions.push((number, function));
        Registered(number)
    }

    pub(crate) fn user(&self) -> *mut c_void {
        self.0 as *mut c_void
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let function = {
            let mut registry = registry();
            let place = registry.functions.iter().position(|(number, _)| *number == self.0);
            place.map(|place| registry.functions.swap_remove(place))
        };
        drop(function); // what it owns may do anything, and does it without the lock
    }
}

pub(crate) unsafe extern "C" fn callback(user: *mut c_void, level: sys::psLogLevel, text: *const c_char) {
    let deliver = || {
        let number = user as usize;
        let function = registry().functions.iter().find(|(known, _)| *known == number).map(|(_, f)| Arc::clone(f));
        if let Some(function) = function {
            // SAFETY: one line, NUL-terminated, borrowed for this call.
            let text = unsafe { CStr::from_ptr(text) };
            function(LogLevel::from_raw(level), &text.to_string_lossy());
        }
    };
    // A panic has no caller to go to here: C code is. The hook has reported it; its payload could panic once more.
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(deliver)) {
        std::mem::forget(payload);
    }
}
