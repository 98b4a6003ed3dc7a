//! Real inputs, and how they are changed.

use std::ops::Range;

use crate::dice::Dice;

/// No input grows beyond this, in bytes.
const BYTES_MAX: usize = 1 << 20;
/// Most changes of one input.
const CHANGES_MAX: usize = 6;
/// Numbers at which code tends to turn.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    7,
    8,
    63,
    64,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0xFFFF_FFFF_FFFF_FFFF,
];

/// Real inputs.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    /// Of these.
    pub fn new(inputs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { inputs: inputs.into_iter().collect(), words: Vec::new() }
    }

    /// With words that belong into such inputs.
    #[must_use]
    pub fn with_words<W: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_vec()));
        self
    }

    /// How many real inputs there are.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The next input: first each of the real ones as it is, then changed ones.
    pub fn input(&self, dice: &mut Dice) -> Vec<u8> {
        if let Some(real) = usize::try_from(dice.number()).ok().and_then(|number| self.inputs.get(number)) {
            return real.clone();
        }
        let mut bytes = if self.inputs.is_empty() { Vec::new() } else { dice.of(&self.inputs).clone() };
        self.change(dice, &mut bytes);
        bytes
    }

    /// Changes an input in one to six places.
    pub fn change(&self, dice: &mut Dice, bytes: &mut Vec<u8>) {
        for _ in 0..=dice.below(CHANGES_MAX) {
            self.change_once(dice, bytes);
        }
        bytes.truncate(BYTES_MAX);
    }

    fn change_once(&self, dice: &mut Dice, bytes: &mut Vec<u8>) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(12) {
            // In place.
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = dice.throw().to_le_bytes()[0];
                }
            }
            3 | 4 => {
                let width = *dice.of(&[1, 2, 4, 8]);
                let edge = dice.of(&EDGES).wrapping_add(dice.throw() % 3).wrapping_sub(1);
                let edge = if dice.one_in(4) { bytes.len() as u64 } else { edge };
                // Numbers mostly lie at multiples of their width.
                let at = if dice.one_in(4) { at } else { at / width * width };
                for (byte, edge) in bytes.iter_mut().skip(at).zip(edge.to_le_bytes()).take(width) {
                    *byte = edge;
                }
            }
            // Longer, shorter, elsewhere.
            5 => drop(bytes.drain(piece(dice, bytes.len()))),
            6 => {
                let copy = bytes[piece(dice, bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            7 => {
                let copy = bytes[piece(dice, bytes.len())].to_vec();
                let end = bytes.len().min(at + copy.len());
                bytes.splice(at..end, copy);
            }
            8 => bytes.truncate(at),
            9 => {
                let fresh: Vec<u8> = (0..=dice.below(16)).map(|_| dice.throw().to_le_bytes()[0]).collect();
                bytes.splice(at..at, fresh);
            }
            10 if !self.words.is_empty() => {
                let word = dice.of(&self.words).clone();
                let end = if dice.one_in(2) { at } else { bytes.len().min(at + word.len()) };
                bytes.splice(at..end, word);
            }
            // What one input begins with, and how another ends.
            _ if !self.inputs.is_empty() => {
                let other = dice.of(&self.inputs);
                let from = if dice.one_in(2) { at.min(other.len()) } else { dice.below(other.len() + 1) };
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ => {}
        }
    }
}

/// A piece of something of this length; often one at multiples of 8 or 64, as records and frames lie.
fn piece(dice: &mut Dice, len: usize) -> Range<usize> {
    let unit = *dice.of(&[1, 1, 8, 64]);
    let start = dice.below(len + 1) / unit * unit;
    let longest = (len - start).min(unit * 64);
    let end = start + (dice.below(longest + 1) / unit * unit).min(longest);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_number_make_the_same_input() {
        let corpus = Corpus::new([b"abcdefgh".repeat(40), vec![7; 100]]).with_words(["word"]);
        let made = |seed, number| corpus.input(&mut Dice::new(seed, number));
        assert_eq!([made(1, 0), made(9, 1)], [corpus.inputs[0].clone(), corpus.inputs[1].clone()]);
        let mut different = std::collections::BTreeSet::new();
        for number in 2..1_000 {
            assert_eq!(made(1, number), made(1, number));
            different.insert(made(1, number));
        }
        assert!(different.len() > 950, "{}", different.len());
        assert!((2..100).any(|number| made(1, number) != made(2, number)));
        assert!(different.iter().any(|input| input.windows(4).any(|window| window == b"word")));
    }

    #[test]
    fn no_input_is_too_short_to_be_changed() {
        let corpus = Corpus::default();
        for number in 0..1_000 {
            let mut bytes = corpus.input(&mut Dice::new(3, number));
            corpus.change(&mut Dice::new(4, number), &mut bytes);
        }
    }
}
