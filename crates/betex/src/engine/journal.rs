//! The journal: every event, for ever.

pub use betex_journal::{
    Durability, FileStorage, JournalEvent, JournalReader, ReadError, RecoveryReport, Storage,
};
