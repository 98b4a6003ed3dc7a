//! The seam between the journal and the disk: every file access goes through [`Storage`], so that a
//! test can stand in for the disk and lie, fail and forget as disks do.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A directory of files. Names are relative to it, with `/` between folders; `""` is the directory.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// What to call the directory in a message.
    fn root(&self) -> &Path;
    /// Makes a folder, and those above it, durably, unless they are there.
    fn create_dir(&self, folder: &str) -> io::Result<()>;
    /// The names in a folder, in any order.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Opens a file.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn StorageFile>>;
    /// Moves a file within its folder, over whatever has that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, folder: &str) -> io::Result<()>;
    /// Removes a folder that is empty.
    fn remove_dir(&self, _folder: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// The start that made the directory and the lock has succeeded, and they stay; or it has failed, and what it
    /// made goes, unless something else is in it. Called while the lock is held.
    fn end_start(&self, _started: bool) {}
    /// Takes the lock of this name, or fails with [`io::ErrorKind::WouldBlock`] where another has it.
    fn lock(&self, name: &str) -> io::Result<Lock>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is there, and only read.
    Read,
    /// It is there, read and written.
    Write,
    /// Read and written; made if need be, and empty.
    Create,
}

/// An open file.
pub trait StorageFile: fmt::Debug + Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether it is empty.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads some bytes; 0 only at its end.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of the bytes.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns once all that was written would survive a power cut.
    fn sync(&self) -> io::Result<()>;
}

/// Held while it lives.
pub struct Lock {
    _held: Box<dyn Send + Sync>,
}

impl Lock {
    /// A lock that is given back when `held` is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

/// Real files in a directory.
#[derive(Clone, Debug)]
pub struct FileStorage {
    root: PathBuf,
    /// What a start has made so far.
    made: Arc<Mutex<Vec<PathBuf>>>,
}

impl FileStorage {
    /// The directory need not be there yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), made: Arc::default() }
    }

    fn note_made(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
    }
}

impl Storage for FileStorage {
    fn root(&self) -> &Path {
        &self.root
    }

    fn create_dir(&self, folder: &str) -> io::Result<()> {
        let path = self.root.join(folder);
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
        // The outermost first, as they are made; some of them may be when it fails.
        self.note_made(missing.iter().rev().map(|path| path.to_path_buf()));
        match std::fs::create_dir_all(&path) {
            // What the system says of a file in the way depends on where it is.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            result => result?,
        }
        for made in missing {
            let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.root.join(folder))?;
        // A name that is not UTF-8 is none of ours.
        entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(access != Access::Read);
        if access == Access::Create {
            options.create(true).truncate(true);
        }
        Ok(Box::new(options.open(self.root.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.root.join(name))
    }

    fn remove_dir(&self, folder: &str) -> io::Result<()> {
        std::fs::remove_dir(self.root.join(folder))
    }

    fn end_start(&self, started: bool) {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        for path in made.iter().rev().filter(|_| !started) {
            // A folder that is not empty is no longer only ours, and stays.
            let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path));
        }
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        File::open(self.root.join(folder))?.sync_all()
    }

    fn lock(&self, name: &str) -> io::Result<Lock> {
        let path = self.root.join(name);
        loop {
            let is_new = !path.exists();
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // A start that failed may have removed the file meanwhile, and another has made and locked it anew.
            let held = file.metadata()?;
            let is_there = |there: std::fs::Metadata| (there.dev(), there.ino()) == (held.dev(), held.ino());
            if std::fs::metadata(&path).is_ok_and(is_there) {
                self.note_made(is_new.then_some(path));
                return Ok(Lock::new(file));
            }
        }
    }
}

impl StorageFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match FileExt::read_at(self, bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
