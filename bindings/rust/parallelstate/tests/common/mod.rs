//! Worlds whose ranks are threads of the test.
#![allow(dead_code)]

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parallelstate::{Config, Context, Error, ResultCode};

pub const DEADLINE: Duration = Duration::from_secs(60);

static WORLDS: AtomicUsize = AtomicUsize::new(0);

pub fn config() -> Config {
    Config::new().no_environment(true).host_only(true).timeout(DEADLINE).init_timeout(DEADLINE)
}

/// Runs `body` in `size` threads, the ranks of one world. A rank that panics aborts its context, so that no other
/// waits.
pub fn world(size: i32, body: impl Fn(&Context) + Sync) {
    contexts(size, |context| body(&context));
}

/// The same, and the body has the context for itself.
pub fn contexts(size: i32, body: impl Fn(Context) + Sync) {
    let number = WORLDS.fetch_add(1, Ordering::Relaxed);
    let name = format!("mem://rust-test-{}-{number}", std::process::id());
    std::thread::scope(|threads| {
        for rank in 0..size {
            let (name, body) = (&name, &body);
            threads.spawn(move || {
                let context = Context::init(&config().rank(rank, size).rendezvous(name)).expect("init");
                let second = context.world().expect("world");
                if let Err(cause) = panic::catch_unwind(AssertUnwindSafe(|| body(context))) {
                    let _ = second.abort(&format!("rank {rank} panicked"));
                    panic::resume_unwind(cause);
                }
            });
        }
    });
}

/// A world of one rank.
pub fn alone() -> Context {
    Context::init(&config().rank(0, 1)).expect("init")
}

pub fn refused<T: std::fmt::Debug>(result: Result<T, Error>, code: ResultCode, text: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(text), "{error}\nis not: {text}");
}
