//! Running other programs, at the terminal or into a log.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Where the output of programs goes.
pub(crate) struct Shell {
    log: Option<File>,
}

impl Shell {
    /// To the terminal.
    pub(crate) const fn inherit() -> Self {
        Self { log: None }
    }

    /// Into a file.
    pub(crate) const fn log(file: File) -> Self {
        Self { log: Some(file) }
    }

    /// A line of our own.
    pub(crate) fn say(&self, line: &str) -> Result<()> {
        match &self.log {
            Some(file) => writeln!(&mut &*file, "{line}")?,
            None => println!("{line}"),
        }
        Ok(())
    }

    /// Sends the output of a command where this shell's goes.
    pub(crate) fn redirect<'c>(&self, command: &'c mut Command) -> Result<&'c mut Command> {
        if let Some(log) = &self.log {
            self.say(&format!("$ {}", shown(command)))?;
            command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        }
        Ok(command.stdin(Stdio::null()))
    }

    /// Runs a command; it must succeed.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        let status = self.redirect(command)?.status().with_context(|| shown(command))?;
        if !status.success() {
            bail!("{}: {status}", shown(command));
        }
        Ok(())
    }
}

/// Whether a program can be started at all.
pub(crate) fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let quiet = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
