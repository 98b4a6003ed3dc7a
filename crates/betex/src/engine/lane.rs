//! The two ways in.

/// Which way a command comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLane {
    /// Served first: cancels, lifecycle.
    Priority,
    /// Orders.
    Normal,
}

impl std::fmt::Display for CommandLane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Priority => "priority",
            Self::Normal => "normal",
        })
    }
}
