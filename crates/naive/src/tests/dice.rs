//! Numbers that look like chance and are the same every time.

/// A linear congruential generator; any number is a good start.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// One of 0 to `sides - 1`, to choose with.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        usize::try_from(self.next()).expect("31 bits") % sides
    }

    /// One of 0 to `sides - 1`, to count with.
    pub(super) fn amount(&mut self, sides: u32) -> i64 {
        i64::from(self.next() % sides)
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).expect("31 bits")
    }
}
