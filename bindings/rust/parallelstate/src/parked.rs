//! Works that were dropped before they were complete.
//!
//! A `Drop` must not wait for a peer, and the library may write to the buffers until the operation is complete. So both
//! stay here, and later calls of the crate free what can be freed without waiting.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::group::Handle;
use crate::operation::Operation;

/// In the order in which it has to go: the operation, its buffers, its group.
pub(crate) struct Parked {
    pub(crate) operation: Operation,
    pub(crate) _buffers: Box<dyn Any + Send>,
    pub(crate) _group: Arc<Handle>,
}

static PARKED: Mutex<Vec<Parked>> = Mutex::new(Vec::new());
/// The length of the list, so that a sweep of nothing costs nothing.
static COUNT: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn park(parked: Parked) {
    let mut list = PARKED.lock().unwrap_or_else(PoisonError::into_inner);
    list.push(parked);
    COUNT.store(list.len(), Ordering::Relaxed);
}

/// Frees what is complete. Never waits for a peer.
pub(crate) fn sweep() {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut complete = Vec::new();
    {
        let mut list = PARKED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = 0;
        while index < list.len() {
            if list[index].operation.poll() {
                complete.push(list.swap_remove(index));
            } else {
                index += 1;
            }
        }
        COUNT.store(list.len(), Ordering::Relaxed);
    }
    drop(complete); // a group may be freed by it, and need not be under the lock
}

/// How many there are, for tests of the lifetime of buffers.
#[doc(hidden)]
pub fn parked() -> usize {
    sweep();
    COUNT.load(Ordering::Relaxed)
}
