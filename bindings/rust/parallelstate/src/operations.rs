//! Every operation on slices, once; from this list it is made in its three safe forms: blocking, asynchronous with
//! buffers that the work owns, asynchronous in a scope.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Arc;

use crate::checked::Checked;
use crate::{Blocks, Element, Group, Reduction, Result, Scope, ScopedWork, Work};

/// The type of a buffer that is lent: `in` is read, `out` is written.
macro_rules! lent {
    (in $($lifetime:lifetime)?) => { &$($lifetime)? [T] };
    (out $($lifetime:lifetime)?) => { &$($lifetime)? mut [T] };
}

/// A buffer as the operation takes it.
macro_rules! lend {
    (in $buffer:ident) => {
        &$buffer[..]
    };
    (out $buffer:ident) => {
        &mut $buffer[..]
    };
}

/// The type of a buffer that is given away, which is the same whether it is read or written.
macro_rules! owned {
    ($kind:tt) => { Vec<T> };
}

macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $name:ident, $name_async:ident ($($kind:tt $buffer:ident),*; $($argument:ident: $type:ty),*);
    )*) => {
        impl Group {
            $(
                $(#[$doc])*
                pub fn $name<T: Element>(&self, $($buffer: lent!($kind),)* $($argument: $type),*) -> Result<()> {
                    let operation = Checked::new(self, self.raw(ptr::null_mut()));
                    // SAFETY: the buffers are borrowed until the call returns.
                    unsafe { operation.$name($($buffer,)* $($argument),*) }
                }

                #[doc = concat!(
                    "[`", stringify!($name), "`](Self::", stringify!($name),
                    "), started: the work gives the buffers back. Those of a call that is refused are dropped."
                )]
                #[allow(unused_mut, unused_parens)]
                pub fn $name_async<T: Element>(
                    &self,
                    $(mut $buffer: Vec<T>,)*
                    $($argument: $type),*
                ) -> Result<Work<($(owned!($kind)),*)>> {
                    let operation = Checked::new(self, self.raw_operation());
                    // SAFETY: what the vectors hold stays where it is, and nobody touches it, while the work has them:
                    // until the operation is complete.
                    let operation = unsafe { operation.$name($(lend!($kind $buffer),)* $($argument),*)? };
                    Ok(Work::new(operation, ($($buffer),*), Arc::clone(self.handle())))
                }
            )*
        }

        impl<'scope, 'env> Scope<'scope, 'env> {
            $(
                #[doc = concat!("[`Group::", stringify!($name), "`], started: the work gives the borrows back.")]
                #[allow(unused_parens)]
                pub fn $name<T: Element>(
                    &'scope self,
                    $($buffer: lent!($kind 'scope),)*
                    $($argument: $type),*
                ) -> Result<ScopedWork<'scope, ($(lent!($kind 'scope)),*)>> {
                    let operation = Checked::new(self.group(), self.group().raw_operation());
                    let mut held = MaybeUninit::new(($($buffer),*));
                    // SAFETY: initialised above.
                    let ($($buffer),*) = unsafe { held.assume_init_mut() };
                    // SAFETY: the buffers are borrowed for the scope, whose end waits for the operation; `wait` returns
                    // them when it is complete.
                    let operation = unsafe { operation.$name($(lend!($kind $buffer),)* $($argument),*)? };
                    Ok(self.observe(operation, held))
                }
            )*
        }
    };
}

operations! {
    /// The reduction of all ranks' `data`, on every rank, in place.
    all_reduce, all_reduce_async (out data; op: impl Reduction<T>);
    /// The reduction of all ranks' `send`, on every rank; `recv` is as long.
    all_reduce_into, all_reduce_into_async (in send, out recv; op: impl Reduction<T>);

    /// The reduction of all ranks' `data`, in place at the root; elsewhere it is only read.
    reduce, reduce_async (out data; op: impl Reduction<T>, root: i32);
    /// The reduction of all ranks' `send` at the root, where `recv` is as long; elsewhere it may be empty.
    reduce_into, reduce_into_async (in send, out recv; op: impl Reduction<T>, root: i32);

    /// The root's `data` on every rank, in place.
    broadcast, broadcast_async (out data; root: i32);
    /// The root's `send`, which may be empty elsewhere, on every rank in `recv`.
    broadcast_into, broadcast_into_async (in send, out recv; root: i32);

    /// Every rank's block on every rank, in place: `data` has a block a rank, of which each sends its own.
    all_gather, all_gather_async (out data;);
    /// Every rank's `send` on every rank: `recv` has a block a rank, each as long as `send`.
    all_gather_into, all_gather_into_async (in send, out recv;);
    /// [`all_gather`](Self::all_gather) with blocks of any sizes, equal on all ranks.
    all_gather_v, all_gather_v_async (out data; blocks: Blocks<'_>);
    /// [`all_gather_into`](Self::all_gather_into) with blocks of any sizes, equal on all ranks; the own one as long as
    /// `send`.
    all_gather_v_into, all_gather_v_into_async (in send, out recv; blocks: Blocks<'_>);

    /// Every rank's block at the root, in place: there `data` has a block a rank, elsewhere it is the block.
    gather, gather_async (out data; root: i32);
    /// Every rank's `send` at the root, where `recv` has a block a rank; elsewhere it may be empty.
    gather_into, gather_into_async (in send, out recv; root: i32);
    /// [`gather`](Self::gather) with blocks of any sizes, which are used at the root.
    gather_v, gather_v_async (out data; blocks: Blocks<'_>, root: i32);
    /// [`gather_into`](Self::gather_into) with blocks of any sizes, which are used at the root.
    gather_v_into, gather_v_into_async (in send, out recv; blocks: Blocks<'_>, root: i32);

    /// A block of the root's to each rank, in place: there `data` has a block a rank, elsewhere it is the block.
    scatter, scatter_async (out data; root: i32);
    /// A block of the root's `send`, which may be empty elsewhere, to each rank's `recv`.
    scatter_into, scatter_into_async (in send, out recv; root: i32);
    /// [`scatter`](Self::scatter) with blocks of any sizes, which are used at the root.
    scatter_v, scatter_v_async (out data; blocks: Blocks<'_>, root: i32);
    /// [`scatter_into`](Self::scatter_into) with blocks of any sizes, which are used at the root.
    scatter_v_into, scatter_v_into_async (in send, out recv; blocks: Blocks<'_>, root: i32);

    /// A block of the reduction of all ranks' `data` to each rank, in place in its own block.
    reduce_scatter, reduce_scatter_async (out data; op: impl Reduction<T>);
    /// A block of the reduction of all ranks' `send` to each rank's `recv`.
    reduce_scatter_into, reduce_scatter_into_async (in send, out recv; op: impl Reduction<T>);
    /// [`reduce_scatter`](Self::reduce_scatter) with blocks of these sizes, one after another, equal on all ranks.
    reduce_scatter_v, reduce_scatter_v_async (out data; counts: &[usize], op: impl Reduction<T>);
    /// [`reduce_scatter_into`](Self::reduce_scatter_into) with blocks of these sizes, equal on all ranks.
    reduce_scatter_v_into, reduce_scatter_v_into_async (in send, out recv; counts: &[usize], op: impl Reduction<T>);

    /// A block from each rank to each, in place: block q goes to rank q, and what came from it takes its place.
    all_to_all, all_to_all_async (out data;);
    /// A block from each rank to each: block q of `send` goes to rank q, block q of `recv` came from it.
    all_to_all_into, all_to_all_into_async (in send, out recv;);
    /// [`all_to_all`](Self::all_to_all) with blocks of any sizes; as much comes from a rank as goes to it.
    all_to_all_v, all_to_all_v_async (out data; blocks: Blocks<'_>);
    /// [`all_to_all_into`](Self::all_to_all_into) with blocks of any sizes: those of `send`, then those of `recv`.
    all_to_all_v_into, all_to_all_v_into_async (in send, out recv; sent: Blocks<'_>, received: Blocks<'_>);

    /// A message to `dst`, or [`NEXT`](crate::NEXT) or [`PREV`](crate::PREV). Tags are >= 0. It may return before the
    /// message is received; never rely on it.
    send, send_async (in data; dst: i32, tag: i32);
    /// A message from `src`, or [`NEXT`](crate::NEXT) or [`PREV`](crate::PREV): as many elements as were sent.
    recv, recv_async (out data; src: i32, tag: i32);
    /// Both at once, free of deadlock in a ring.
    send_recv, send_recv_async (in send, out recv; dst: i32, src: i32, tag: i32);
}

impl Group {
    /// Returns when all members have called it.
    pub fn barrier(&self) -> Result<()> {
        self.raw(ptr::null_mut()).barrier()
    }

    /// [`barrier`](Self::barrier), started. For a limit of its own wait for it with a timeout: that error lists who is
    /// missing, and harms nothing.
    pub fn barrier_async(&self) -> Result<Work> {
        self.raw_async(ptr::null_mut()).barrier()
    }
}
