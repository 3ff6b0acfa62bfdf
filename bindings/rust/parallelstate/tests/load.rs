//! Finding the library at run time: the order, and what is said when none is right. Builds stand-ins with a C compiler.
#![cfg(feature = "load")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Asked by the other tests, in a process of its own.
#[test]
#[ignore = "a part of other tests"]
fn probe() {
    match parallelstate::library_version() {
        Ok(_) => println!("\nloaded {}", parallelstate::library_path().unwrap()),
        Err(error) => println!("\n{}: {error}", error.code().as_raw()),
    }
    assert_eq!(
        parallelstate::Context::init(&parallelstate::Config::new()).is_ok(),
        parallelstate::library_path().is_ok()
    );
}

fn ask(library: &str, path: &str) -> String {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "probe", "--ignored", "--nocapture"])
        .env("PS_LIBRARY", library)
        .env("LD_LIBRARY_PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{text}{}", String::from_utf8_lossy(&run.stderr));
    text
}

/// A library with every function but `without`, which answers only psVersion.
fn stand_in(name: &str, version: i32, without: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let mut source = format!("int psVersion(void) {{ return {version}; }}\n");
    for function in parallelstate_sys::FUNCTIONS {
        if ![without, "psVersion"].contains(function) {
            writeln!(source, "int {function}(void) {{ return -3; }}").unwrap();
        }
    }
    let code = folder.join("stand_in.c");
    std::fs::write(&code, source).unwrap();
    let library = folder.join("libparallelstate.so.0");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&code)
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    library
}

#[test]
fn the_loaders_path_is_searched() {
    let path = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    assert!(ask("", &path).contains("\nloaded libparallelstate.so.0\n"));
    let text = ask("", "");
    assert!(
        text.contains("-12: no usable libparallelstate.so; tried\n  libparallelstate.so.0 (the loader's path): "),
        "{text}"
    );
    assert!(text.contains("set PS_LIBRARY"), "{text}");
}

#[test]
fn what_was_chosen_is_not_replaced() {
    let path = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let text = ask("/nonexistent/lib.so", &path);
    assert!(text.contains("\n  /nonexistent/lib.so (PS_LIBRARY): "), "{text}");
    assert!(!text.contains("loader's path"), "{text}");
}

#[test]
fn another_version_is_refused() {
    let library = stand_in("version", 20003, "");
    let text = ask(library.to_str().unwrap(), "");
    assert!(text.contains("it is version 2.0.3, this binding is made for 0.1.x"), "{text}");
    let library = stand_in("minor", 200, "");
    assert!(ask(library.to_str().unwrap(), "").contains("it is version 0.2.0"));
}

#[test]
fn a_missing_function_is_an_error() {
    let library = stand_in("function", 100, "psBatch");
    let text = ask(library.to_str().unwrap(), "");
    assert!(text.contains("it has no function psBatch"), "{text}");
}
