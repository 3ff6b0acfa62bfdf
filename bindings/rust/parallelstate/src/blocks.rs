//! Where the ranks' blocks lie in a buffer.

use crate::{Error, Result};

/// Blocks of a buffer, one a rank: the elements of each, and where each begins. Without offsets they follow one
/// another.
///
/// Where only the root needs them, the others give [`Blocks::none`].
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    counts: &'a [usize],
    offsets: Option<&'a [usize]>,
}

impl<'a> Blocks<'a> {
    /// Blocks that follow one another.
    pub fn packed(counts: &'a [usize]) -> Self {
        Blocks { counts, offsets: None }
    }

    /// Blocks that begin at these elements. Received ones must not overlap.
    pub fn at(counts: &'a [usize], offsets: &'a [usize]) -> Self {
        Blocks { counts, offsets: Some(offsets) }
    }

    /// For the ranks that are not the root.
    pub fn none() -> Self {
        Blocks::packed(&[])
    }

    pub(crate) fn counts(&self) -> *const usize {
        if self.counts.is_empty() {
            return std::ptr::null();
        }
        self.counts.as_ptr()
    }

    pub(crate) fn offsets(&self) -> *const usize {
        self.offsets.map_or(std::ptr::null(), |offsets| offsets.as_ptr())
    }

    /// Refuses what is not one block a rank, or does not fit in `room` elements.
    pub(crate) fn check(&self, call: &str, what: &str, ranks: usize, room: usize) -> Result<()> {
        let lengths = [("counts", self.counts.len()), ("offsets", self.offsets.map_or(ranks, <[usize]>::len))];
        for (kind, length) in lengths {
            if length != ranks {
                return Err(Error::argument(format!(
                    "{call}: the blocks of {what} have {length} {kind}; the group has {ranks} ranks"
                )));
            }
        }
        match self.extent() {
            Some(extent) if extent <= room => Ok(()),
            Some(extent) => {
                Err(Error::argument(format!("{call}: {what} has {room} elements, and its blocks end at {extent}")))
            }
            None => Err(Error::argument(format!("{call}: the sizes of the blocks of {what} overflow"))),
        }
    }

    /// Where the block of `rank` begins, and its elements; after `check`.
    pub(crate) fn block(&self, rank: usize) -> (usize, usize) {
        let offset = self.offsets.map_or_else(|| self.counts[..rank].iter().sum(), |offsets| offsets[rank]);
        (offset, self.counts[rank])
    }

    fn extent(&self) -> Option<usize> {
        match self.offsets {
            None => self.counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count)),
            Some(offsets) => self
                .counts
                .iter()
                .zip(offsets)
                .filter(|(&count, _)| count > 0)
                .try_fold(0usize, |extent, (&count, &offset)| Some(extent.max(offset.checked_add(count)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(blocks: Blocks<'_>, room: usize) -> String {
        blocks.check("gather_v", "recv", 2, room).unwrap_err().message().to_owned()
    }

    #[test]
    fn packed_blocks_follow_one_another() {
        let blocks = Blocks::packed(&[3, 4]);
        assert!(blocks.check("gather_v", "recv", 2, 7).is_ok());
        assert_eq!(blocks.block(1), (3, 4));
        assert_eq!(refusal(blocks, 6), "gather_v: recv has 6 elements, and its blocks end at 7");
    }

    #[test]
    fn an_empty_block_may_begin_anywhere() {
        assert!(Blocks::at(&[0, 2], &[100, 0]).check("gather_v", "recv", 2, 2).is_ok());
    }

    #[test]
    fn wrong_lengths_and_overflows_are_refused() {
        assert_eq!(
            refusal(Blocks::packed(&[1]), 9),
            "gather_v: the blocks of recv have 1 counts; the group has 2 ranks"
        );
        assert!(refusal(Blocks::at(&[1, 1], &[0]), 9).contains("1 offsets"));
        assert!(refusal(Blocks::packed(&[usize::MAX, 1]), 9).contains("overflow"));
        assert!(refusal(Blocks::at(&[1, 1], &[0, usize::MAX]), 9).contains("overflow"));
    }
}
