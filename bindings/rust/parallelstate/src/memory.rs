//! Memory that all members of a group reach, and slices that are registered with one.

use std::fmt;
use std::mem::size_of;
use std::ops::{Deref, DerefMut};
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use parallelstate_sys as sys;

use crate::error::check;
use crate::group::Handle;
use crate::{parked, Element, Error, Group, Result};

/// This rank's part of memory that all members of a group reach, a slice of `T`, made by [`Group::allocate`]: the group's
/// operations use buffers in it where they are.
///
/// [`free`](Self::free) it, on all members. Freeing needs them all, so a `Drop` does not free: what is dropped instead
/// stays allocated until the group is freed. The group in turn is freed when neither it nor a part of its memory is left,
/// so the slice is there as long as it can be looked at, also after [`Group::close`] and after the context was finalized.
///
/// ```compile_fail
/// # use parallelstate::{Group, Result};
/// fn after_the_end(group: &Group) -> Result<f32> {
///     let memory = group.allocate::<f32>(4)?;
///     let part = &memory[..2];
///     memory.free()?; // still borrowed
///     Ok(part[0])
/// }
/// ```
#[must_use = "dropped memory stays allocated until its group is freed"]
pub struct SymmetricMemory<T: Element> {
    data: NonNull<T>,
    len: usize,
    group: Arc<Handle>,
    _living: Arc<()>,
}

// SAFETY: like a vector's: peers touch it during this rank's operations on it alone, which borrow it.
unsafe impl<T: Element> Send for SymmetricMemory<T> {}
unsafe impl<T: Element> Sync for SymmetricMemory<T> {}

impl<T: Element> SymmetricMemory<T> {
    /// Frees it; all members call this, in the same order. When they do not agree, or one is late, the error says so, and
    /// the memory stays until the group is freed. After a member died it is freed without the others.
    pub fn free(self) -> Result<()> {
        let data = self.data.as_ptr().cast();
        // SAFETY: nothing borrows it any more. Of a group that was closed it goes with the last part.
        let result = self.group.unless_closed(|group| unsafe { sys::psMemFree(group, data) });
        result.map_or(Ok(()), check)
    }
}

impl<T: Element> Deref for SymmetricMemory<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: mapped as long as the group is there; every bit pattern is a `T`.
        unsafe { slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T: Element> DerefMut for SymmetricMemory<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this rank's part is this object's alone.
        unsafe { slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl<T: Element> fmt::Debug for SymmetricMemory<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SymmetricMemory({} elements)", self.len)
    }
}

/// A slice that a group's operations use where it is, made by [`Group::register`]; it is reached through this.
///
/// [`close`](Self::close) it, on all members. A `Drop` only gives the slice back: the group goes on knowing the addresses,
/// which harms nothing, as peers touch only what this rank passes to an operation, while the operation lasts.
#[must_use = "the slice is registered until this is closed"]
pub struct Registered<'a, T: Element> {
    data: &'a mut [T],
    group: Arc<Handle>,
}

impl<T: Element> Registered<'_, T> {
    /// Ends it; all members call this, in the same order.
    pub fn close(self) -> Result<()> {
        let data = address(self.data);
        // SAFETY: a living handle.
        let result = self.group.unless_closed(|group| unsafe { sys::psGroupDeregister(group, data) });
        result.map_or(Ok(()), check)
    }
}

impl<T: Element> Deref for Registered<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.data
    }
}

impl<T: Element> DerefMut for Registered<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.data
    }
}

impl<T: Element> fmt::Debug for Registered<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Registered({} elements)", self.data.len())
    }
}

/// Where a slice begins; never NULL, also of one without elements.
fn address<T>(data: &mut [T]) -> *mut c_void {
    data.as_mut_ptr().cast()
}

impl Group {
    /// Zeroed memory of `len` elements for each member, which all members on its host reach: collectives on this group
    /// take less time in it. All members call it, with the same length and an element of the same size.
    ///
    /// ```no_run
    /// # use parallelstate::{Group, ReduceOp, Result};
    /// # fn sum(group: &Group) -> Result<()> {
    /// let mut gradients = group.allocate::<f32>(1 << 20)?;
    /// gradients.fill(1.0);
    /// group.all_reduce(&mut gradients, ReduceOp::SUM)?; // in one pass, where they are
    /// gradients.free()
    /// # }
    /// ```
    pub fn allocate<T: Element>(&self, len: usize) -> Result<SymmetricMemory<T>> {
        let bytes = len
            .checked_mul(size_of::<T>())
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or_else(|| Error::argument(format!("allocate: {len} elements are more than memory can hold")))?;
        parked::sweep();
        let mut memory = ptr::null_mut();
        // SAFETY: a living handle.
        check(unsafe { sys::psMemAlloc(self.as_raw(), bytes, sys::PS_DEVICE_HOST, &mut memory) })?;
        let data = NonNull::new(memory.cast()).expect("the library gives an address for every size");
        let group = Arc::clone(self.handle());
        let _living = Arc::clone(group.memory());
        Ok(SymmetricMemory { data, len, group, _living })
    }

    /// Lets this group's collectives use a slice where it is. All members call it, with slices of any length.
    ///
    /// Between processes the slices of all members must lie in memory of one [`allocate`](Self::allocate), on this group
    /// or on one that has all its members; between threads of one process any will do. `UNSUPPORTED` says whose is not.
    pub fn register<'a, T: Element>(&self, data: &'a mut [T]) -> Result<Registered<'a, T>> {
        parked::sweep();
        // SAFETY: the library only keeps the addresses.
        let result = unsafe { sys::psGroupRegister(self.as_raw(), address(data), std::mem::size_of_val(data)) };
        check(result)?;
        Ok(Registered { data, group: Arc::clone(self.handle()) })
    }
}
