//! Chance from a seed.

/// Chance for one input: the same seed and number give the same throws, on every machine.
#[derive(Clone, Debug)]
pub struct Dice {
    number: u64,
    state: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64, number: u64) -> Self {
        Self {
            number,
            state: seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ number.wrapping_mul(0xA076_1D64_78BD_642F),
        }
    }

    /// The number of the input that is being made, from 0.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Any number: SplitMix64.
    pub const fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = (end as u64).max(1);
        usize::try_from(self.throw() % end).unwrap_or_default()
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there are none.
    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
