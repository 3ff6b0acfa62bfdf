//! Messages that start together.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::operation::Operation;
use crate::raw::{Completion, Raw, RawMessage};
use crate::{Element, Group, Result, Work};

/// One message of [`Group::batch`], which borrows its buffer.
#[derive(Debug)]
pub struct Message<'a> {
    raw: RawMessage,
    buffer: PhantomData<&'a mut [u8]>,
}

// SAFETY: it stands for a borrowed slice of elements, which are Send and Sync.
unsafe impl Send for Message<'_> {}

impl<'a> Message<'a> {
    /// To `dst`.
    pub fn send<T: Element>(buffer: &'a [T], dst: i32, tag: i32) -> Self {
        let raw = RawMessage::send(buffer.as_ptr().cast(), buffer.len(), T::DATA_TYPE, dst, tag);
        Message { raw, buffer: PhantomData }
    }

    /// From `src`; as many elements as were sent.
    pub fn recv<T: Element>(buffer: &'a mut [T], src: i32, tag: i32) -> Self {
        let raw = RawMessage::recv(buffer.as_mut_ptr().cast(), buffer.len(), T::DATA_TYPE, src, tag);
        Message { raw, buffer: PhantomData }
    }
}

/// Starts messages.
///
/// # Safety
/// The borrows of the messages last until the operation is complete.
pub(crate) unsafe fn start<'a, W: Completion>(
    raw: Raw<'_, W>,
    messages: impl IntoIterator<Item = Message<'a>>,
) -> Result<W> {
    let messages: Vec<RawMessage> = messages.into_iter().map(|message| message.raw).collect();
    // SAFETY: as here; exclusive borrows do not overlap.
    unsafe { raw.batch(&messages) }
}

/// One message of [`Group::batch_async`], which owns its buffer.
pub struct OwnedMessage {
    raw: RawMessage,
    // Not touched while an operation is in progress, which has a pointer to what the vector holds.
    buffer: Box<dyn Any + Send>,
}

// SAFETY: the pointer is into the buffer, which is Send; nothing is reached through a shared reference.
unsafe impl Send for OwnedMessage {}
unsafe impl Sync for OwnedMessage {}

impl OwnedMessage {
    /// To `dst`.
    pub fn send<T: Element>(buffer: Vec<T>, dst: i32, tag: i32) -> Self {
        let raw = RawMessage::send(buffer.as_ptr().cast(), buffer.len(), T::DATA_TYPE, dst, tag);
        OwnedMessage { raw, buffer: Box::new(buffer) }
    }

    /// From `src`; as many elements as were sent.
    pub fn recv<T: Element>(mut buffer: Vec<T>, src: i32, tag: i32) -> Self {
        let raw = RawMessage::recv(buffer.as_mut_ptr().cast(), buffer.len(), T::DATA_TYPE, src, tag);
        OwnedMessage { raw, buffer: Box::new(buffer) }
    }

    /// The buffer; the message itself when its elements are of another type.
    pub fn into_buffer<T: Element>(self) -> std::result::Result<Vec<T>, Self> {
        let raw = self.raw;
        self.buffer.downcast::<Vec<T>>().map(|buffer| *buffer).map_err(|buffer| OwnedMessage { raw, buffer })
    }
}

impl fmt::Debug for OwnedMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(formatter)
    }
}

impl Group {
    /// Messages that start together and are complete together; the order within a (peer, tag) is the list's.
    ///
    /// ```no_run
    /// # use parallelstate::{Message, NEXT, PREV};
    /// # fn ring(group: &parallelstate::Group, low: &[f32], high: &mut [f64]) -> parallelstate::Result<()> {
    /// group.batch([Message::send(low, NEXT, 0), Message::recv(high, PREV, 1)])
    /// # }
    /// ```
    pub fn batch<'a>(&self, messages: impl IntoIterator<Item = Message<'a>>) -> Result<()> {
        // SAFETY: the messages are borrowed until the call returns.
        unsafe { start(self.raw(std::ptr::null_mut()), messages) }
    }

    /// [`batch`](Self::batch), started: the work gives the messages back, with their buffers.
    pub fn batch_async(&self, messages: Vec<OwnedMessage>) -> Result<Work<Vec<OwnedMessage>>> {
        let raw: Vec<RawMessage> = messages.iter().map(|message| message.raw).collect();
        // SAFETY: the vectors stay where they are until the operation is complete, and nobody touches them.
        let operation: Operation = unsafe { self.raw_operation().batch(&raw)? };
        Ok(Work::new(operation, messages, Arc::clone(self.handle())))
    }
}
