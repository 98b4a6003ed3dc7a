//! Where everything that is random in a run comes from.

/// A seeded source of numbers: the same seed, the same numbers, on every machine and for ever.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Seeds that are near each other give numbers that are not.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        dice.next();
        dice
    }

    /// Any number: SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which must not be 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from the first to the last.
    pub(crate) fn within(&mut self, first: i64, last: i64) -> i64 {
        let span = last.wrapping_sub(first).cast_unsigned().wrapping_add(1);
        first.wrapping_add_unsigned(if span == 0 { self.next() } else { self.below(span) })
    }

    /// A place in a list of this length, which must not be 0.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or_default()
    }

    /// One of them; the list must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())]
    }

    /// True so often in a thousand.
    pub(crate) fn chance(&mut self, in_a_thousand: u64) -> bool {
        self.below(1_000) < in_a_thousand
    }

    /// One of them, as often as its weight says against the others.
    pub(crate) fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let mut left = self.below(of.iter().map(|(weight, _)| weight).sum());
        let hit = of.iter().find(|(weight, _)| {
            let is_it = left < *weight;
            left = left.wrapping_sub(*weight);
            is_it
        });
        hit.map_or(of[0].1, |(_, one)| *one)
    }
}
