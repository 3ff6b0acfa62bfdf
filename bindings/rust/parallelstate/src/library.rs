//! The library itself.

use std::ptr;

use parallelstate_sys as sys;

use crate::error::check;
use crate::{Bytes, Result};

/// The version of the library that is in use: major, minor, patch. This crate refuses one of another minor version.
pub fn library_version() -> Result<(i32, i32, i32)> {
    sys::load()?;
    // SAFETY: it takes nothing.
    let version = unsafe { sys::psVersion() };
    Ok((version / 10000, version / 100 % 100, version % 100))
}

/// What the loader was asked for: with the feature `load` the path in `PS_LIBRARY`, if it is set, else the library's
/// name.
pub fn library_path() -> Result<&'static str> {
    Ok(sys::load()?)
}

/// JSON: version, build, CPU and kernel features, limits, backends with the reason where one is missing, dispatch
/// table.
pub fn library_info() -> Result<String> {
    sys::load()?;
    let mut json = ptr::null_mut();
    // SAFETY: the bytes are freed here.
    unsafe {
        check(sys::psGetLibraryInfo(&mut json))?;
        Ok(Bytes::from_raw(json).to_text())
    }
}
