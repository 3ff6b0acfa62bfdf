//! Asynchronous operations on borrowed buffers, in the manner of `std::thread::scope`.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::message::{self, Message};
use crate::operation::Operation;
use crate::{Error, Group, Result};

/// An operation that its scope and its handle share.
#[derive(Debug)]
struct Shared {
    operation: Operation,
    /// The failure was handed out, so the scope need not.
    told: bool,
}

impl Shared {
    fn tell(&mut self, result: Result<()>) -> Result<()> {
        self.told |= self.operation.is_settled();
        result
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts operations of one group on buffers that outlive the scope; made by [`Group::scope`].
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    group: &'env Group,
    started: Mutex<Vec<Arc<Mutex<Shared>>>>,
    // Invariant: a longer or shorter scope is another one.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// The group whose operations these are.
    pub fn group(&self) -> &'env Group {
        self.group
    }

    /// [`Group::barrier`], started.
    pub fn barrier(&'scope self) -> Result<ScopedWork<'scope>> {
        Ok(self.observe(self.group.raw_operation().barrier()?, MaybeUninit::new(())))
    }

    /// [`Group::batch`], started.
    pub fn batch(&'scope self, messages: impl IntoIterator<Item = Message<'scope>>) -> Result<ScopedWork<'scope>> {
        // SAFETY: the messages are borrowed for the scope, whose end waits for the operation.
        let operation = unsafe { message::start(self.group.raw_operation(), messages)? };
        Ok(self.observe(operation, MaybeUninit::new(())))
    }

    /// From here on the end of the scope waits for `operation`, whatever becomes of its handle.
    /// `buffers` is initialised.
    pub(crate) fn observe<B>(&'scope self, operation: Operation, buffers: MaybeUninit<B>) -> ScopedWork<'scope, B> {
        let shared = Arc::new(Mutex::new(Shared { operation, told: false }));
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        // What is done with need not be remembered; looking only before the list grows keeps that cheap.
        if started.len() == started.capacity() {
            started.retain(|other| {
                let other = lock(other);
                !other.operation.is_settled() || (other.operation.failure().is_some() && !other.told)
            });
        }
        started.push(Arc::clone(&shared));
        ScopedWork { shared, buffers, scope: PhantomData }
    }

    /// Waits for everything; the first failure that nobody was told.
    fn finish(&self) -> Result<()> {
        let started = std::mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner));
        let mut first = Ok(());
        for shared in started {
            let mut shared = lock(&shared);
            shared.operation.finish();
            if !shared.told && first.is_ok() {
                first = shared.operation.outcome();
            }
        }
        first
    }
}

/// An operation in a [`Scope`]. `wait` gives the borrowed buffers back before the scope ends. One that is dropped, or
/// leaked, goes on: the end of the scope waits for it.
pub struct ScopedWork<'scope, B = ()> {
    shared: Arc<Mutex<Shared>>,
    // Always initialised, and borrows only. Hidden, because moving a visible `&mut` claims that nobody else writes
    // there, and the library does.
    buffers: MaybeUninit<B>,
    scope: PhantomData<&'scope ()>,
}

impl<B> ScopedWork<'_, B> {
    /// Waits until the data is there and returns the buffers, or the operation's error.
    pub fn wait(self) -> Result<B> {
        let (result, buffers) = self.finish();
        result.map(|()| buffers)
    }

    /// Waits until the operation is complete and returns the buffers with its result.
    pub fn finish(self) -> (Result<()>, B) {
        let mut shared = lock(&self.shared);
        let result = shared.operation.wait(None);
        let result = shared.tell(result);
        drop(shared);
        // SAFETY: initialised; the operation is complete.
        (result, unsafe { self.buffers.assume_init() })
    }

    /// Waits for the operation, but no longer than `timeout`; see [`Work::wait_timeout`](crate::Work::wait_timeout).
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<()> {
        let mut shared = lock(&self.shared);
        let result = shared.operation.wait(Some(timeout));
        shared.tell(result)
    }

    /// `true` when the data is there, `false` while it is in progress, or the operation's error. Never blocks.
    pub fn test(&mut self) -> Result<bool> {
        let mut shared = lock(&self.shared);
        let done = shared.operation.poll();
        let result = shared.operation.outcome();
        shared.tell(result).map(|()| done)
    }

    /// Whether the operation is complete, with success or not. Never blocks.
    pub fn is_done(&mut self) -> bool {
        lock(&self.shared).operation.poll()
    }

    /// The operation's error, `None` while there is none. Never blocks.
    pub fn error(&mut self) -> Option<Error> {
        self.test().err()
    }

    /// The buffers, if the operation is complete, with success or not; else the work itself. Never blocks.
    pub fn into_buffers(mut self) -> std::result::Result<B, Self> {
        if self.is_done() {
            // SAFETY: as above.
            Ok(unsafe { self.buffers.assume_init() })
        } else {
            Err(self)
        }
    }
}

impl<B> fmt::Debug for ScopedWork<'_, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ScopedWork")
    }
}

impl Group {
    /// Runs `body`, which starts operations on buffers that are borrowed for the whole scope, and waits for all of
    /// them, also when it panics and when it leaks their works. That wait is bounded by the operations' deadline.
    ///
    /// The result is that of `body`; or the first failure of an operation that nobody waited for.
    ///
    /// ```no_run
    /// # fn exchange(group: &parallelstate::Group) -> parallelstate::Result<()> {
    /// let mut low = [1, 2];
    /// let mut high = [3.0, 4.0];
    /// group.scope(|s| {
    ///     let first = s.broadcast(&mut low, 0)?;
    ///     s.broadcast(&mut high, 1)?;
    ///     let low = first.wait()?; // back before the end
    ///     low[0] += 1;
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// A buffer has to outlive the scope, and is the scope's until it ends:
    ///
    /// ```compile_fail
    /// # fn short(group: &parallelstate::Group) -> parallelstate::Result<()> {
    /// group.scope(|s| {
    ///     let mut data = [1, 2];
    ///     s.broadcast(&mut data, 0)?;
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// ```compile_fail
    /// # fn beside(group: &parallelstate::Group) -> parallelstate::Result<()> {
    /// let mut data = [1, 2];
    /// group.scope(|s| {
    ///     s.broadcast(&mut data, 0)?;
    ///     data[0] = 5;
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// ```compile_fail
    /// # fn escape(group: &parallelstate::Group) -> parallelstate::Result<()> {
    /// let mut data = [1, 2];
    /// let work = group.scope(|s| s.broadcast(&mut data, 0))?;
    /// work.wait()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn scope<'env, F, R>(&'env self, body: F) -> Result<R>
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> Result<R>,
    {
        /// Waits on the way out of a panic, too.
        struct End<'a, 'scope, 'env>(&'a Scope<'scope, 'env>);
        impl Drop for End<'_, '_, '_> {
            fn drop(&mut self) {
                let _ = self.0.finish();
            }
        }

        let scope = Scope { group: self, started: Mutex::new(Vec::new()), scope: PhantomData, env: PhantomData };
        let end = End(&scope);
        let result = body(&scope);
        let failure = end.0.finish();
        result.and_then(|value| failure.map(|()| value))
    }
}
