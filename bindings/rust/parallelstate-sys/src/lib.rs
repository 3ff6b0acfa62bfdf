//! The C API of ParallelState, as declared in `parallelstate.h`, under its own names. The header says what everything
//! means; the crate `parallelstate` is the safe form.
//!
//! The library is linked, found by pkg-config at build time; or, with the feature `load`, opened at run time. The names
//! are the same in both, and [`load`] has to succeed before any function is called: with the feature it opens the
//! library, without it compares the version of the one that was linked.
//!
//! C's enumerations are integers here too: a newer library may return values that this version does not name.
#![allow(non_camel_case_types, non_snake_case)]
#![warn(missing_docs)]

mod constants;
mod functions;
mod loading;
mod structs;

pub use constants::*;
pub use functions::*;
pub use loading::{load, LoadError, SONAME};
pub use structs::*;
