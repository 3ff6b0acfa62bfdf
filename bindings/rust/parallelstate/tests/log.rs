//! A log function of the program's.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::config;
use parallelstate::{Context, LogLevel};

#[test]
fn lines_go_to_the_programs_function() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let config = config().rank(0, 1).log_level(LogLevel::TRACE).log(move |level, text| {
        sink.lock().unwrap().push((level, text.to_owned()));
    });
    let context = Context::init(&config).unwrap();
    context.world().unwrap().barrier().unwrap();
    context.finalize().unwrap();
    let lines = lines.lock().unwrap();
    assert!(!lines.is_empty());
    assert!(lines.iter().all(|(level, text)| level.as_raw() >= LogLevel::ERROR.as_raw() && !text.is_empty()));
}

#[test]
fn a_panic_in_it_ends_there_and_it_is_freed_with_its_context() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let config = config().rank(0, 1).log_level(LogLevel::TRACE).log(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind(Box::new("not for C"));
    });
    let context = Context::init(&config).unwrap();
    drop(config);
    assert_eq!(Arc::strong_count(&calls), 2);
    context.finalize().unwrap();
    assert_eq!(Arc::strong_count(&calls), 1);
    assert!(calls.load(Ordering::Relaxed) > 0);
}
