//! Byte strings that belong to the library.

use std::ops::Deref;
use std::os::raw::c_void;
use std::{fmt, ptr, slice};

use parallelstate_sys as sys;

use crate::ContentType;

/// An immutable list of byte strings, one or, after a gather, one a rank; it dereferences to the first.
///
/// It depends on no context, and may be used from all threads.
pub struct Bytes(sys::psBytes);

// SAFETY: "psBytes is immutable and safe from all threads".
unsafe impl Send for Bytes {}
unsafe impl Sync for Bytes {}

impl Bytes {
    /// # Safety
    /// A handle that the library just gave, and that nobody else frees.
    pub(crate) unsafe fn from_raw(handle: sys::psBytes) -> Self {
        Bytes(handle)
    }

    /// The number of byte strings.
    pub fn parts(&self) -> usize {
        let mut count = 0;
        // SAFETY: a living handle; the result can only be success.
        unsafe { sys::psBytesCount(self.0, &mut count) };
        count
    }

    /// One byte string and what it is; `None` when there are not as many.
    pub fn part(&self, index: usize) -> Option<(&[u8], ContentType)> {
        if index >= self.parts() {
            return None;
        }
        let (mut data, mut size, mut content) = (ptr::null::<c_void>(), 0, 0);
        // SAFETY: a living handle, an index in range. The data lives until psBytesFree, so as long as self is borrowed.
        unsafe {
            if sys::psBytesAt(self.0, index, &mut data, &mut size, &mut content) < sys::PS_OK {
                return None;
            }
            let data = if size == 0 { &[] } else { slice::from_raw_parts(data.cast(), size) };
            Some((data, ContentType::from_raw(content)))
        }
    }

    /// The first byte string as a copy of its text, with what is not UTF-8 replaced.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(self).into_owned()
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.part(0).map_or(&[], |(data, _)| data)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries((0..self.parts()).filter_map(|index| self.part(index))).finish()
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: freed once, here.
        unsafe { sys::psBytesFree(self.0) };
    }
}
