//! Finding the library, and refusing one of another version.

use std::fmt;

use crate::{PS_VERSION_MAJOR, PS_VERSION_MINOR};

/// The name that the loader's path is searched for.
pub const SONAME: &str = "libparallelstate.so.0";

/// No library that this binding can use; the text lists everything that was tried, each with its reason.
#[derive(Clone, Debug)]
pub struct LoadError(String);

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// Before 1.0 another minor version is another interface.
fn check_version(found: i32) -> Result<(), String> {
    let (major, minor, patch) = (found / 10000, found / 100 % 100, found % 100);
    if major == PS_VERSION_MAJOR && (major != 0 || minor == PS_VERSION_MINOR) {
        return Ok(());
    }
    Err(format!(
        "it is version {major}.{minor}.{patch}, this binding is made for {PS_VERSION_MAJOR}.{PS_VERSION_MINOR}.x; \
         install the two together"
    ))
}

/// Makes the functions callable, and returns the path or name of the library. After the first success it costs nothing.
///
/// The library was linked; its version is compared.
#[cfg(not(feature = "load"))]
pub fn load() -> Result<&'static str, LoadError> {
    use std::sync::atomic::{AtomicBool, Ordering};
    static CHECKED: AtomicBool = AtomicBool::new(false);

    if !CHECKED.load(Ordering::Relaxed) {
        // SAFETY: it takes nothing and may be called at any time.
        let found = unsafe { crate::psVersion() };
        check_version(found).map_err(|reason| LoadError(format!("the loader found {SONAME}, but {reason}")))?;
        CHECKED.store(true, Ordering::Relaxed);
    }
    Ok(SONAME)
}

#[cfg(feature = "load")]
pub(crate) use dynamic::functions;
#[cfg(feature = "load")]
pub use dynamic::load;

#[cfg(feature = "load")]
mod dynamic {
    use std::ffi::{CStr, CString};
    use std::os::raw::{c_char, c_int, c_void};
    use std::os::unix::ffi::OsStringExt;
    use std::sync::atomic::{AtomicPtr, Ordering};
    use std::sync::{Mutex, PoisonError};

    use super::{check_version, LoadError, SONAME};
    use crate::functions::Functions;

    struct Library {
        functions: Functions,
        path: String,
    }

    /// Null until a library was opened, then one that stays: it has threads, and is never closed.
    static LIBRARY: AtomicPtr<Library> = AtomicPtr::new(std::ptr::null_mut());
    static LOADING: Mutex<()> = Mutex::new(());

    extern "C" {
        fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
        fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
        fn dlclose(library: *mut c_void) -> c_int;
        fn dlerror() -> *const c_char;
    }
    const RTLD_NOW: c_int = 2;

    /// Makes the functions callable, and returns the path or name of the library. After the first success it costs
    /// nothing; after a failure the next call tries again.
    ///
    /// `PS_LIBRARY` is the only candidate when it is set: what a person chose is not silently replaced. Else it is
    /// [`SONAME`] by the loader's path.
    pub fn load() -> Result<&'static str, LoadError> {
        if let Some(library) = library() {
            return Ok(&library.path);
        }
        let _guard = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = library() {
            return Ok(&library.path);
        }
        let (path, origin) = match std::env::var_os("PS_LIBRARY").filter(|path| !path.is_empty()) {
            Some(path) => (path.into_vec(), "PS_LIBRARY"),
            None => (SONAME.as_bytes().to_vec(), "the loader's path"),
        };
        let name = String::from_utf8_lossy(&path).into_owned();
        let functions = open(path).map_err(|reason| {
            LoadError(format!(
                "no usable libparallelstate.so; tried\n  {name} ({origin}): {reason}\n\
                 Install ParallelState, or set PS_LIBRARY to the path of the library."
            ))
        })?;
        let library = Box::leak(Box::new(Library { functions, path: name }));
        LIBRARY.store(library, Ordering::Release);
        Ok(&library.path)
    }

    fn library() -> Option<&'static Library> {
        // SAFETY: null, or a leaked box.
        unsafe { LIBRARY.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn functions() -> &'static Functions {
        match library() {
            Some(library) => &library.functions,
            None => panic!("parallelstate_sys::load() has to succeed before a function of the library is called"),
        }
    }

    fn open(path: Vec<u8>) -> Result<Functions, String> {
        let path = CString::new(path).map_err(|_| "the path contains a NUL character".to_owned())?;
        // SAFETY: a NUL-terminated path. Initialisers of what is opened run, as for every shared library.
        let handle = unsafe { dlopen(path.as_ptr(), RTLD_NOW) };
        if handle.is_null() {
            return Err(last_error());
        }
        let find = |name: &str| {
            let name = CString::new(name).ok()?;
            // SAFETY: an open library and a NUL-terminated name.
            let address = unsafe { dlsym(handle, name.as_ptr()) };
            (!address.is_null()).then_some(address)
        };
        // SAFETY: a library that has every one of these names, and the right version, is ParallelState.
        let functions = unsafe { Functions::find(find) }.map_err(|name| {
            format!("it has no function {name}, so it is not a ParallelState library that this binding knows")
        });
        // SAFETY: as above.
        let checked = functions.and_then(|found| check_version(unsafe { (found.psVersion)() }).map(|()| found));
        if checked.is_err() {
            // SAFETY: opened above; no address of it is kept.
            unsafe { dlclose(handle) };
        }
        checked
    }

    fn last_error() -> String {
        // SAFETY: the text belongs to this thread until its next call of the loader, and is copied at once.
        unsafe {
            let text = dlerror();
            if text.is_null() {
                return "the loader gives no reason".to_owned();
            }
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}
