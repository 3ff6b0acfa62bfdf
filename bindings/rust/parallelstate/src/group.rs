//! A group: an ordered set of ranks, and the order of operations on it.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use parallelstate_sys as sys;

use crate::context::failure;
use crate::error::check;
use crate::values::{c_text, copied, deadline_ms, non_negative};
use crate::{parked, Error, GroupOptions, Result};

/// A reference to a group of the library. Works share it, so that the last to go frees it: freeing waits for unfinished
/// operations, which a `Drop` must not. So does its memory, which the library unmaps with the group.
#[derive(Debug)]
pub(crate) struct Handle {
    group: sys::psGroup,
    closed: Mutex<bool>,
    freed: AtomicBool,
    /// Shared by the parts of its memory that can still be looked at.
    memory: Arc<()>,
}

// SAFETY: "Any function from any thread"; freeing excludes other uses, by ownership or by `closed`.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Handle {
    fn new(group: sys::psGroup) -> Self {
        Handle { group, closed: Mutex::new(false), freed: AtomicBool::new(false), memory: Arc::new(()) }
    }

    /// While a clone of this lives, closing does not free.
    pub(crate) fn memory(&self) -> &Arc<()> {
        &self.memory
    }

    /// For what may outlive the [`Group`]: runs `with` unless the group was closed, and keeps it from being closed
    /// meanwhile.
    pub(crate) fn unless_closed<T>(&self, with: impl FnOnce(sys::psGroup) -> T) -> Option<T> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        (!*closed).then(|| with(self.group))
    }

    fn close(&self) -> Result<()> {
        let already = std::mem::replace(&mut *self.closed.lock().unwrap_or_else(PoisonError::into_inner), true);
        if already || Arc::strong_count(&self.memory) > 1 {
            return Ok(());
        }
        self.free()
    }

    fn free(&self) -> Result<()> {
        if self.freed.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        // SAFETY: freed once. Its `Group` is gone or going, and whatever else has this handle looks at `closed` first.
        check(unsafe { sys::psGroupFree(self.group) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.free();
    }
}

/// An ordered set of ranks, and the order of operations on it. Ranks are ranks in the group; what holds a world rank
/// has `global` in its name.
///
/// **Threads.** Every method may be called from any thread. Operations start in the order of the calls, and match those
/// of the other members by that order: when several threads use one group, it is for the program to order their calls
/// alike on all ranks. [`abort`](Self::abort) may be called beside calls that are blocked, and ends them.
///
/// **Operations** come in four forms. `all_reduce(&mut data, op)` blocks; `all_reduce_into(&send, &mut recv, op)` does
/// so from one buffer into another; [`all_reduce_async`](Self::all_reduce_async) takes the buffers as vectors and gives
/// them back when the work is waited for; [`scope`](Self::scope) starts operations on borrowed buffers; and
/// [`raw`](Self::raw) takes pointers, to device memory too. Lengths are compared before anything is sent: what does not
/// fit is [`ResultCode::ARGUMENT`](crate::ResultCode::ARGUMENT).
///
/// **Its end.** Dropping it frees it, after which a peer's call that would need this rank fails there. It is not waited
/// for: where works of it are unfinished, the last of them frees it.
pub struct Group {
    handle: Arc<Handle>,
    name: String,
    rank: i32,
    size: i32,
}

impl Group {
    /// # Safety
    /// A handle that the library just gave, and that nobody else frees.
    pub(crate) unsafe fn from_raw(group: sys::psGroup) -> Result<Self> {
        let handle = Arc::new(Handle::new(group));
        let mut group = Group { handle, name: String::new(), rank: 0, size: 0 };
        let info = group.info()?;
        (group.name, group.rank, group.size) = (info.name, info.rank, info.size);
        Ok(group)
    }

    pub(crate) fn as_raw(&self) -> sys::psGroup {
        self.handle.group
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }

    /// This rank in the group.
    pub fn rank(&self) -> i32 {
        self.rank
    }

    /// The number of members.
    pub fn size(&self) -> i32 {
        self.size
    }

    /// For messages and matching; a group that was made without has one from the library.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is rank 0.
    pub fn is_first(&self) -> bool {
        self.rank == 0
    }

    /// Whether this is the last rank.
    pub fn is_last(&self) -> bool {
        self.rank == self.size - 1
    }

    /// The next rank in the ring of the group; [`NEXT`](crate::NEXT) means the same.
    pub fn next(&self) -> i32 {
        (self.rank + 1) % self.size
    }

    /// The previous rank in the ring of the group; [`PREV`](crate::PREV) means the same.
    pub fn prev(&self) -> i32 {
        (self.rank + self.size - 1) % self.size
    }

    /// Everything about the group, now. Never blocks: this is also the health check.
    pub fn info(&self) -> Result<GroupInfo> {
        let mut raw = sys::psGroupInfo::default();
        // SAFETY: a living handle; the strings live until psGroupFree and are copied.
        unsafe {
            check(sys::psGetGroupInfo(self.as_raw(), &mut raw))?;
            Ok(GroupInfo {
                name: copied(raw.name).unwrap_or_default(),
                rank: raw.rank,
                size: raw.size,
                host_count: raw.host_count,
                global_rank: raw.global_rank,
                global_first: raw.global_first,
                global_last: raw.global_last,
                global_next: raw.global_next,
                global_prev: raw.global_prev,
                deterministic: raw.flags & sys::PS_DETERMINISTIC != 0,
                own_communicator: raw.flags & sys::PS_OWN_COMMUNICATOR != 0,
                warm_up: raw.flags & sys::PS_WARM_UP != 0,
                host_only: raw.flags & sys::PS_HOST_ONLY != 0,
                failure: failure(raw.failure, raw.failure_text),
                failed_global_rank: non_negative(raw.failed_global_rank),
                host_backend: copied(raw.host_backend),
                device_backend: copied(raw.device_backend),
                timeout: Duration::from_millis(raw.timeout_ms.try_into().unwrap_or(0)),
            })
        }
    }

    /// The members' world ranks, in group order.
    pub fn global_ranks(&self) -> Result<Vec<i32>> {
        let mut ranks = vec![0; self.size as usize];
        let mut count = 0;
        // SAFETY: as many elements as is said.
        check(unsafe { sys::psGroupGlobalRanks(self.as_raw(), ranks.as_mut_ptr(), ranks.len(), &mut count) })?;
        Ok(ranks)
    }

    /// The rank in this group of a world rank; `NOT_FOUND` when it is not a member.
    pub fn find_global(&self, global_rank: i32) -> Result<i32> {
        let mut rank = 0;
        // SAFETY: a living handle.
        check(unsafe { sys::psGroupFindGlobal(self.as_raw(), global_rank, &mut rank) })?;
        Ok(rank)
    }

    /// For each member, whether it shares memory with member `source`.
    pub fn same_host(&self, source: i32) -> Result<Vec<bool>> {
        let mut same = vec![0; self.size as usize];
        let mut count = 0;
        // SAFETY: as many elements as is said.
        check(unsafe { sys::psSameHost(self.as_raw(), source, same.as_mut_ptr(), same.len(), &mut count) })?;
        Ok(same.into_iter().map(|same| same != 0).collect())
    }

    /// The deadline of operations that this rank starts later; `None`: the context's.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        let timeout = deadline_ms(timeout, "timeout")?;
        // SAFETY: a living handle.
        check(unsafe { sys::psGroupSetTimeout(self.as_raw(), timeout) })
    }

    /// Members with equal `color` form a group, ordered by (`key`, rank). All members must call it. With `None` this
    /// rank is part of none, and neither is the result.
    pub fn split(&self, color: Option<i32>, key: i32, options: &GroupOptions) -> Result<Option<Group>> {
        let color = match color {
            Some(color) if color < 0 => {
                return Err(Error::argument(format!("split: color {color} is negative; None is for no part")))
            }
            color => color.unwrap_or(sys::PS_NO_COLOR),
        };
        parked::sweep();
        let mut part = ptr::null_mut();
        // SAFETY: the options live during the call; the handle is the new object's.
        unsafe {
            options.with_raw(|raw| check(sys::psSplitGroup(self.as_raw(), color, key, raw, &mut part)))?;
            (!part.is_null()).then(|| Group::from_raw(part)).transpose()
        }
    }

    /// Ends blocked calls here and on every member with `ABORTED`, naming this rank and the reason. May be called while
    /// other threads are blocked in the group. Idempotent.
    pub fn abort(&self, reason: &str) -> Result<()> {
        let reason = c_text(reason, "reason")?;
        // SAFETY: a living handle and string.
        check(unsafe { sys::psGroupAbort(self.as_raw(), reason.as_ptr()) })
    }

    /// Frees it now, after waiting for this rank's unfinished operations, which are bounded by their deadline, and between
    /// hosts some seconds for peers that do not take what was sent to them. Peers need not call anything. While
    /// [`SymmetricMemory`](crate::SymmetricMemory) of it lives, the last part of that frees it.
    pub fn close(self) -> Result<()> {
        self.handle.close()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Group({:?}, rank {} of {})", self.name, self.rank, self.size)
    }
}

/// See [`Group::info`]. Ranks with `global` in their name are world ranks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// This rank in the group.
    pub rank: i32,
    /// The number of members.
    pub size: i32,
    /// 1: all members share a host.
    pub host_count: i32,
    /// This rank's own.
    pub global_rank: i32,
    /// Rank 0's.
    pub global_first: i32,
    /// The last rank's.
    pub global_last: i32,
    /// The next rank's, circular.
    pub global_next: i32,
    /// The previous rank's, circular.
    pub global_prev: i32,
    /// See [`GroupOptions::deterministic`].
    pub deterministic: bool,
    /// See [`GroupOptions::own_communicator`].
    pub own_communicator: bool,
    /// See [`GroupOptions::warm_up`].
    pub warm_up: bool,
    /// See [`GroupOptions::host_only`].
    pub host_only: bool,
    /// Why the group failed.
    pub failure: Option<Error>,
    /// Whose failure it was.
    pub failed_global_rank: Option<i32>,
    /// What carries host memory; `None`: data cannot be moved between the members, and an operation's error says why.
    pub host_backend: Option<String>,
    /// What carries device memory; `None`.
    pub device_backend: Option<String>,
    /// The deadline of operations.
    pub timeout: Duration,
}
