use std::ops::Range;

use ureq::unversioned::transport::Buffers;

/// The buffers of a connection, as small as what goes through them: what is read begins with 2 KiB, some events of a
/// stream, and doubles when that was too little; what is written needs none while an answer is awaited; an idle
/// connection has none.
#[derive(Debug)]
pub(super) struct SmallBuffers {
    largest: (usize, usize),
    input: Vec<u8>,
    /// What of `input` is not yet consumed.
    unread: Range<usize>,
    /// The last read left no room, so that there may be more than fits.
    was_full: bool,
    /// The last look at the input consumed some of it; what is left may be enough for the next.
    progress: bool,
    output: Vec<u8>,
}

const FIRST: usize = 2 << 10;

impl SmallBuffers {
    /// Buffers that grow to `input` and `output` bytes at most.
    pub(super) fn new(input: usize, output: usize) -> Self {
        Self {
            largest: (input, output),
            input: Vec::new(),
            unread: 0..0,
            was_full: false,
            progress: false,
            output: Vec::new(),
        }
    }

    /// Gives back what a connection does not need that only reads.
    pub(super) fn only_read(&mut self) {
        self.output = Vec::new();
    }

    /// Gives back what an idle connection does not need.
    pub(super) fn idle(&mut self) {
        self.output = Vec::new();
        if self.unread.is_empty() {
            self.unread = 0..0;
            self.input = Vec::new();
        }
    }

    fn make_room(&mut self) {
        self.input.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        if self.was_full || self.unread.end == self.input.len() {
            let doubled = self.input.len().saturating_mul(2).max(FIRST);
            self.input.resize(doubled.min(self.largest.0), 0);
            self.was_full = false;
        }
    }

    fn write_space(&mut self) {
        self.output.resize(self.largest.1, 0);
    }
}

impl Buffers for SmallBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.write_space();
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.unread.clone()).unwrap_or_default()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        self.input.get_mut(self.unread.end..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.unread.end = self.input.len().min(self.unread.end + amount);
        self.was_full = self.unread.end == self.input.len();
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.unread.start = self.unread.end.min(self.unread.start + amount);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        self.write_space();
        let free = self.input.get_mut(self.unread.end..).unwrap_or_default();
        (free, &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && !self.unread.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LARGEST: usize = 9000;

    fn read(buffers: &mut SmallBuffers, bytes: &[u8]) -> usize {
        let space = buffers.input_append_buf();
        let count = bytes.len().min(space.len());
        space[..count].copy_from_slice(&bytes[..count]);
        buffers.input_appended(count);
        count
    }

    fn held(buffers: &SmallBuffers) -> usize {
        buffers.input.capacity() + buffers.output.capacity()
    }

    #[test]
    fn a_stream_of_small_events_needs_little() {
        let mut buffers = SmallBuffers::new(LARGEST, LARGEST);
        assert_eq!(held(&buffers), 0);
        assert_eq!(buffers.output().len(), LARGEST);
        buffers.only_read();
        for _ in 0..1000 {
            assert_eq!(read(&mut buffers, &[b'x'; 300]), 300);
            buffers.input_consume(300);
        }
        assert_eq!(held(&buffers), FIRST);
        buffers.idle();
        assert_eq!(held(&buffers), 0);
    }

    #[test]
    fn what_fills_the_input_makes_it_grow_up_to_the_largest() {
        let mut buffers = SmallBuffers::new(LARGEST, LARGEST);
        for room in [2048, 4096, 8192, LARGEST, LARGEST] {
            assert_eq!(read(&mut buffers, &vec![b'x'; 2 * LARGEST]), room);
            buffers.input_consume(room);
        }
        for room in [LARGEST, 0, 0] {
            assert_eq!(read(&mut buffers, &vec![b'x'; 2 * LARGEST]), room);
        }
    }

    #[test]
    fn an_idle_connection_keeps_what_nobody_has_read() {
        let mut buffers = SmallBuffers::new(LARGEST, LARGEST);
        read(&mut buffers, b"left");
        buffers.idle();
        assert_eq!(buffers.input(), b"left");
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(steps in proptest::collection::vec((0_usize..5000, 0_usize..5000), 0..60)) {
            let mut buffers = SmallBuffers::new(LARGEST, LARGEST);
            let bytes = (0..=u8::MAX).cycle().take(400_000).collect::<Vec<_>>();
            let (mut written, mut seen) = (0, 0);
            for (add, take) in steps {
                written += read(&mut buffers, &bytes[written..written + add]);
                let take = take.min(buffers.input().len());
                prop_assert_eq!(&buffers.input()[..take], &bytes[seen..seen + take]);
                buffers.input_consume(take);
                seen += take;
                prop_assert_eq!(buffers.input().len(), written - seen);
                prop_assert_eq!(buffers.can_use_input(), take > 0 && written > seen);
            }
        }
    }
}
