//! Operations on slices: the lengths are compared, then the pointers go to [`Raw`].
//!
//! Every `unsafe fn` here has one promise from its caller: what the slices refer to stays as borrowed as it is now
//! until the operation is complete, which `W` tells.

use std::os::raw::c_void;
use std::ptr;

use crate::raw::{Completion, Raw};
use crate::{Blocks, Element, Error, Group, Reduction, Result};

/// The one-buffer operations are in place, those named `_into` go from one buffer into another.
pub(crate) struct Checked<'g, W> {
    raw: Raw<'g, W>,
    group: &'g Group,
}

/// NULL for nothing: a slice without elements has an address that means nothing.
fn source<T>(data: &[T]) -> *const c_void {
    if data.is_empty() {
        return ptr::null();
    }
    data.as_ptr().cast()
}

fn target<T>(data: &mut [T]) -> *mut c_void {
    if data.is_empty() {
        return ptr::null_mut();
    }
    data.as_mut_ptr().cast()
}

/// The block that begins `offset` elements behind `data`.
fn block<T>(data: *mut c_void, offset: usize) -> *mut c_void {
    data.cast::<T>().wrapping_add(offset).cast()
}

fn fits(call: &str, what: &str, found: usize, needed: Option<usize>, why: &str) -> Result<()> {
    if Some(found) == needed {
        return Ok(());
    }
    let needed = needed.map_or_else(|| "more than memory can hold".to_owned(), |needed| needed.to_string());
    Err(Error::argument(format!("{call}: {what} has {found} elements and needs {needed}, {why}")))
}

impl<'g, W: Completion> Checked<'g, W> {
    pub(crate) fn new(group: &'g Group, raw: Raw<'g, W>) -> Self {
        Checked { raw, group }
    }

    fn ranks(&self) -> usize {
        self.group.size() as usize
    }

    fn rank(&self) -> usize {
        self.group.rank() as usize
    }

    /// The elements of one of `ranks` equal blocks.
    fn part(&self, call: &str, what: &str, length: usize) -> Result<usize> {
        let ranks = self.ranks();
        if length % ranks != 0 {
            return Err(Error::argument(format!(
                "{call}: {what} has {length} elements, which is not {ranks} equal blocks"
            )));
        }
        Ok(length / ranks)
    }

    fn all_blocks(&self, call: &str, what: &str, length: usize, block: usize, of: &str) -> Result<()> {
        let why = format!("a block as long as {of} for each of {} ranks", self.ranks());
        fits(call, what, length, block.checked_mul(self.ranks()), &why)
    }

    fn is_root(&self, root: i32) -> bool {
        root == self.group.rank()
    }

    pub(crate) unsafe fn all_reduce<T: Element>(self, data: &mut [T], op: impl Reduction<T>) -> Result<W> {
        let (op, count, data) = (op.on(self.group)?, data.len(), target(data));
        unsafe { self.raw.all_reduce(data, data, count, T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn all_reduce_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        op: impl Reduction<T>,
    ) -> Result<W> {
        fits("all_reduce_into", "recv", recv.len(), Some(send.len()), "as many as send")?;
        let op = op.on(self.group)?;
        unsafe { self.raw.all_reduce(source(send), target(recv), send.len(), T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn reduce<T: Element>(self, data: &mut [T], op: impl Reduction<T>, root: i32) -> Result<W> {
        let (op, count, data) = (op.on(self.group)?, data.len(), target(data));
        let recv = if self.is_root(root) { data } else { ptr::null_mut() };
        unsafe { self.raw.reduce(data, recv, count, T::DATA_TYPE, op, root) }
    }

    pub(crate) unsafe fn reduce_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        op: impl Reduction<T>,
        root: i32,
    ) -> Result<W> {
        if self.is_root(root) {
            fits("reduce_into", "recv at the root", recv.len(), Some(send.len()), "as many as send")?;
        }
        let op = op.on(self.group)?;
        unsafe { self.raw.reduce(source(send), target(recv), send.len(), T::DATA_TYPE, op, root) }
    }

    pub(crate) unsafe fn broadcast<T: Element>(self, data: &mut [T], root: i32) -> Result<W> {
        let (count, data) = (data.len(), target(data));
        unsafe { self.raw.broadcast(data, data, count, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn broadcast_into<T: Element>(self, send: &[T], recv: &mut [T], root: i32) -> Result<W> {
        if self.is_root(root) {
            fits("broadcast_into", "send at the root", send.len(), Some(recv.len()), "as many as recv")?;
        }
        unsafe { self.raw.broadcast(source(send), target(recv), recv.len(), T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn all_gather<T: Element>(self, data: &mut [T]) -> Result<W> {
        let count = self.part("all_gather", "data", data.len())?;
        let recv = target(data);
        let own = block::<T>(recv, self.rank() * count);
        unsafe { self.raw.all_gather(own, recv, count, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_gather_into<T: Element>(self, send: &[T], recv: &mut [T]) -> Result<W> {
        self.all_blocks("all_gather_into", "recv", recv.len(), send.len(), "send")?;
        unsafe { self.raw.all_gather(source(send), target(recv), send.len(), T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_gather_v<T: Element>(self, data: &mut [T], blocks: Blocks<'_>) -> Result<W> {
        blocks.check("all_gather_v", "data", self.ranks(), data.len())?;
        let (recv, counts, offsets) = (target(data), blocks.counts(), blocks.offsets());
        let (own, count) = self.own_block::<T>(recv, blocks);
        unsafe { self.raw.all_gather_v(own, count, recv, counts, offsets, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_gather_v_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        blocks: Blocks<'_>,
    ) -> Result<W> {
        blocks.check("all_gather_v_into", "recv", self.ranks(), recv.len())?;
        let (recv, counts, offsets) = (target(recv), blocks.counts(), blocks.offsets());
        unsafe { self.raw.all_gather_v(source(send), send.len(), recv, counts, offsets, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn gather<T: Element>(self, data: &mut [T], root: i32) -> Result<W> {
        if !self.is_root(root) {
            let (count, send) = (data.len(), source(data));
            return unsafe { self.raw.gather(send, ptr::null_mut(), count, T::DATA_TYPE, root) };
        }
        let count = self.part("gather", "data at the root", data.len())?;
        let recv = target(data);
        let own = block::<T>(recv, self.rank() * count);
        unsafe { self.raw.gather(own, recv, count, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn gather_into<T: Element>(self, send: &[T], recv: &mut [T], root: i32) -> Result<W> {
        if self.is_root(root) {
            self.all_blocks("gather_into", "recv at the root", recv.len(), send.len(), "send")?;
        }
        unsafe { self.raw.gather(source(send), target(recv), send.len(), T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn gather_v<T: Element>(self, data: &mut [T], blocks: Blocks<'_>, root: i32) -> Result<W> {
        if !self.is_root(root) {
            let (send, count, none) = (source(data), data.len(), ptr::null());
            return unsafe { self.raw.gather_v(send, count, ptr::null_mut(), none, none, T::DATA_TYPE, root) };
        }
        blocks.check("gather_v", "data at the root", self.ranks(), data.len())?;
        let (recv, counts, offsets) = (target(data), blocks.counts(), blocks.offsets());
        let (own, count) = self.own_block::<T>(recv, blocks);
        unsafe { self.raw.gather_v(own, count, recv, counts, offsets, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn gather_v_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        blocks: Blocks<'_>,
        root: i32,
    ) -> Result<W> {
        if self.is_root(root) {
            blocks.check("gather_v_into", "recv at the root", self.ranks(), recv.len())?;
        }
        let (recv, counts, offsets) = (target(recv), blocks.counts(), blocks.offsets());
        unsafe { self.raw.gather_v(source(send), send.len(), recv, counts, offsets, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn scatter<T: Element>(self, data: &mut [T], root: i32) -> Result<W> {
        if !self.is_root(root) {
            let (count, recv) = (data.len(), target(data));
            return unsafe { self.raw.scatter(ptr::null(), recv, count, T::DATA_TYPE, root) };
        }
        let count = self.part("scatter", "data at the root", data.len())?;
        let send = target(data);
        let own = block::<T>(send, self.rank() * count);
        unsafe { self.raw.scatter(send, own, count, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn scatter_into<T: Element>(self, send: &[T], recv: &mut [T], root: i32) -> Result<W> {
        if self.is_root(root) {
            self.all_blocks("scatter_into", "send at the root", send.len(), recv.len(), "recv")?;
        }
        unsafe { self.raw.scatter(source(send), target(recv), recv.len(), T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn scatter_v<T: Element>(self, data: &mut [T], blocks: Blocks<'_>, root: i32) -> Result<W> {
        if !self.is_root(root) {
            let (count, recv, none) = (data.len(), target(data), ptr::null());
            return unsafe { self.raw.scatter_v(ptr::null(), none, none, recv, count, T::DATA_TYPE, root) };
        }
        blocks.check("scatter_v", "data at the root", self.ranks(), data.len())?;
        let (send, counts, offsets) = (target(data), blocks.counts(), blocks.offsets());
        let (own, count) = self.own_block::<T>(send, blocks);
        unsafe { self.raw.scatter_v(send, counts, offsets, own, count, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn scatter_v_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        blocks: Blocks<'_>,
        root: i32,
    ) -> Result<W> {
        if self.is_root(root) {
            blocks.check("scatter_v_into", "send at the root", self.ranks(), send.len())?;
        }
        let (counts, offsets, count) = (blocks.counts(), blocks.offsets(), recv.len());
        unsafe { self.raw.scatter_v(source(send), counts, offsets, target(recv), count, T::DATA_TYPE, root) }
    }

    pub(crate) unsafe fn reduce_scatter<T: Element>(self, data: &mut [T], op: impl Reduction<T>) -> Result<W> {
        let count = self.part("reduce_scatter", "data", data.len())?;
        let op = op.on(self.group)?;
        let send = target(data);
        let own = block::<T>(send, self.rank() * count);
        unsafe { self.raw.reduce_scatter(send, own, count, T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn reduce_scatter_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        op: impl Reduction<T>,
    ) -> Result<W> {
        self.all_blocks("reduce_scatter_into", "send", send.len(), recv.len(), "recv")?;
        let op = op.on(self.group)?;
        unsafe { self.raw.reduce_scatter(source(send), target(recv), recv.len(), T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn reduce_scatter_v<T: Element>(
        self,
        data: &mut [T],
        counts: &[usize],
        op: impl Reduction<T>,
    ) -> Result<W> {
        let blocks = Blocks::packed(counts);
        blocks.check("reduce_scatter_v", "data", self.ranks(), data.len())?;
        let op = op.on(self.group)?;
        let send = target(data);
        let (own, _) = self.own_block::<T>(send, blocks);
        unsafe { self.raw.reduce_scatter_v(send, own, blocks.counts(), T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn reduce_scatter_v_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        counts: &[usize],
        op: impl Reduction<T>,
    ) -> Result<W> {
        let blocks = Blocks::packed(counts);
        blocks.check("reduce_scatter_v_into", "send", self.ranks(), send.len())?;
        let own = blocks.block(self.rank()).1;
        fits("reduce_scatter_v_into", "recv", recv.len(), Some(own), "as many as this rank's count")?;
        let op = op.on(self.group)?;
        unsafe { self.raw.reduce_scatter_v(source(send), target(recv), blocks.counts(), T::DATA_TYPE, op) }
    }

    pub(crate) unsafe fn all_to_all<T: Element>(self, data: &mut [T]) -> Result<W> {
        let count = self.part("all_to_all", "data", data.len())?;
        let data = target(data);
        unsafe { self.raw.all_to_all(data, data, count, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_to_all_into<T: Element>(self, send: &[T], recv: &mut [T]) -> Result<W> {
        let count = self.part("all_to_all_into", "send", send.len())?;
        fits("all_to_all_into", "recv", recv.len(), Some(send.len()), "as many as send")?;
        unsafe { self.raw.all_to_all(source(send), target(recv), count, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_to_all_v<T: Element>(self, data: &mut [T], blocks: Blocks<'_>) -> Result<W> {
        blocks.check("all_to_all_v", "data", self.ranks(), data.len())?;
        let (data, counts, offsets) = (target(data), blocks.counts(), blocks.offsets());
        unsafe { self.raw.all_to_all_v(data, counts, offsets, data, counts, offsets, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn all_to_all_v_into<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        sent: Blocks<'_>,
        received: Blocks<'_>,
    ) -> Result<W> {
        sent.check("all_to_all_v_into", "send", self.ranks(), send.len())?;
        received.check("all_to_all_v_into", "recv", self.ranks(), recv.len())?;
        let (send, recv) = (source(send), target(recv));
        let (counts, offsets) = (received.counts(), received.offsets());
        unsafe { self.raw.all_to_all_v(send, sent.counts(), sent.offsets(), recv, counts, offsets, T::DATA_TYPE) }
    }

    pub(crate) unsafe fn send<T: Element>(self, send: &[T], dst: i32, tag: i32) -> Result<W> {
        unsafe { self.raw.send(source(send), send.len(), T::DATA_TYPE, dst, tag) }
    }

    pub(crate) unsafe fn recv<T: Element>(self, recv: &mut [T], src: i32, tag: i32) -> Result<W> {
        let (count, recv) = (recv.len(), target(recv));
        unsafe { self.raw.recv(recv, count, T::DATA_TYPE, src, tag) }
    }

    pub(crate) unsafe fn send_recv<T: Element>(
        self,
        send: &[T],
        recv: &mut [T],
        dst: i32,
        src: i32,
        tag: i32,
    ) -> Result<W> {
        let (count, recv) = (recv.len(), target(recv));
        unsafe { self.raw.send_recv(source(send), send.len(), dst, recv, count, src, T::DATA_TYPE, tag) }
    }

    /// Where this rank's block of `data` is, and its elements; after a check of the blocks.
    fn own_block<T>(&self, data: *mut c_void, blocks: Blocks<'_>) -> (*mut c_void, usize) {
        let (offset, count) = blocks.block(self.rank());
        if count == 0 {
            return (ptr::null_mut(), 0); // it may begin anywhere
        }
        (block::<T>(data, offset), count)
    }
}
