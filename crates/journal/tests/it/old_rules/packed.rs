//! Directories as fixtures: all files of one, packed. A segment is mostly zeros, and frames repeat each other.
//!
//! A packed directory is pieces: a length and so many bytes as they are; then a length and a distance, for so many
//! bytes as they were that far back. These numbers have seven bits a byte, the lowest first, and the eighth bit in
//! each byte but the last. Unpacked it is one file after the other: the length of its name and of its content, u32
//! each, its name, its content.

use crate::memory_storage::MemoryStorage;

/// The files of a fixture, with their names.
pub(super) fn files(packed: &[u8]) -> Vec<(String, Vec<u8>)> {
    let bytes = unpacked(packed);
    let (mut rest, mut files) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let (lengths, after) = rest.split_at(8);
        let length = |at: usize| u32::from_le_bytes(lengths[at..at + 4].try_into().unwrap()) as usize;
        let (name, content) = after.split_at(length(0));
        let (content, after) = content.split_at(length(4));
        files.push((String::from_utf8(name.to_vec()).unwrap(), content.to_vec()));
        rest = after;
    }
    files
}

/// A disk with these files.
pub(super) fn disk(files: &[(String, Vec<u8>)]) -> MemoryStorage {
    let storage = MemoryStorage::default();
    for (name, content) in files {
        storage.replace(name, content.clone());
    }
    storage
}

fn unpacked(mut packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !packed.is_empty() {
        let literal = number(&mut packed);
        let (literal, rest) = packed.split_at(literal);
        bytes.extend_from_slice(literal);
        packed = rest;
        let (length, distance) = (number(&mut packed), number(&mut packed));
        // What is repeated may reach into what it makes.
        for _ in 0..length {
            bytes.push(bytes[bytes.len() - distance]);
        }
    }
    bytes
}

fn number(packed: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = packed.split_first().unwrap();
        *packed = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}
