//! A disk in memory that forgets what was not synced, and fails when told to. After a sync that failed it
//! shows what it does not have, as page caches do.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use betex_journal::{Access, Lock, Storage, StorageFile};

/// What can be told to fail, and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Write,
    Sync,
    /// Everything else that changes the disk.
    Name,
    Lock,
}

/// A handle; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStorage(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    contents: Vec<Content>,
    is_locked: bool,
    calls: BTreeMap<Call, u64>,
    fault: Option<Fault>,
    /// A file, and what it will hold once it is opened again.
    late: Option<(usize, Vec<u8>)>,
    opened_late: u32,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Written since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    /// Written before a sync that failed: no later sync brings it to the disk, though it can be read.
    dropped: Vec<(usize, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    call: Call,
    /// The calls of the kind that still succeed.
    after: u64,
    error: io::ErrorKind,
    /// Whether it happens once, or at every call from then on.
    once: bool,
}

/// What becomes of writes that were not synced.
pub(crate) enum Crash<'a> {
    /// All of them are lost.
    Lost,
    /// Each sector of each of them is asked about.
    Torn(&'a mut dyn FnMut() -> bool),
}

const SECTOR: usize = 512;

impl MemoryStorage {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    /// Fails the calls of this kind, all of them or one, after so many have succeeded.
    pub(crate) fn fail(&self, call: Call, after: u64, error: io::ErrorKind, once: bool) {
        let mut disk = self.disk();
        disk.fault = Some(Fault { call, after: after + disk.calls.get(&call).unwrap_or(&0), error, once });
    }

    pub(crate) fn heal(&self) {
        self.disk().fault = None;
    }

    /// Shows zeros to the next one who opens this file to read it, and writes it when it is opened once more: as a
    /// writer who is at work meanwhile.
    pub(crate) fn write_late(&self, name: &str) {
        let mut disk = self.disk();
        let id = disk.names[name];
        let zeros = vec![0; disk.contents[id].now.len()];
        disk.late = Some((id, std::mem::replace(&mut disk.contents[id].now, zeros)));
    }

    /// How many calls of this kind there were.
    pub(crate) fn calls(&self, call: Call) -> u64 {
        *self.disk().calls.get(&call).unwrap_or(&0)
    }

    /// The disk as the next process finds it after a power cut.
    pub(crate) fn crash(&self, crash: Crash<'_>) -> Self {
        let disk = self.disk();
        let mut contents = disk.contents_of(&disk.durable_names);
        let mut keep: Box<dyn FnMut() -> bool> = match crash {
            Crash::Lost => Box::new(|| false),
            Crash::Torn(keep) => Box::new(keep),
        };
        for content in &mut contents {
            let lost =
                std::mem::take(&mut content.dropped).into_iter().chain(std::mem::take(&mut content.pending));
            for (offset, bytes) in lost {
                for (i, sector) in bytes.chunks(SECTOR).enumerate() {
                    if keep() {
                        put(&mut content.durable, offset + i * SECTOR, sector);
                    }
                }
            }
            content.now = content.durable.clone();
        }
        let names = disk.durable_names.clone();
        let durable_names = names.clone();
        Self(Arc::new(Mutex::new(Disk { names, durable_names, contents, ..Disk::default() })))
    }

    /// The disk as the next process finds it after this one was killed.
    pub(crate) fn kill(&self) -> Self {
        let disk = self.disk();
        let (names, durable_names) = (disk.names.clone(), disk.durable_names.clone());
        let contents = disk.contents_of(&disk.names);
        Self(Arc::new(Mutex::new(Disk { names, durable_names, contents, ..Disk::default() })))
    }

    pub(crate) fn files(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let disk = self.disk();
        disk.contents[disk.names[name]].now.clone()
    }

    /// Puts a file there, durably.
    pub(crate) fn replace(&self, name: &str, bytes: Vec<u8>) {
        let mut disk = self.disk();
        let id = disk.contents.len();
        disk.contents.push(Content { now: bytes.clone(), durable: bytes, ..Content::default() });
        disk.names.insert(name.to_owned(), id);
        disk.durable_names.insert(name.to_owned(), id);
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut disk = self.disk();
        disk.names.remove(name).unwrap();
        disk.durable_names.remove(name);
    }

    /// All names and all bytes, to compare.
    pub(crate) fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let disk = self.disk();
        disk.names.iter().map(|(name, &id)| (name.clone(), disk.contents[id].now.clone())).collect()
    }
}

impl Disk {
    fn called(&mut self, call: Call) -> io::Result<()> {
        let calls = self.calls.entry(call).or_default();
        *calls += 1;
        match self.fault {
            Some(fault) if fault.call == call && *calls > fault.after => {
                if fault.once {
                    self.fault = None;
                }
                Err(fault.error.into())
            }
            _ => Ok(()),
        }
    }

    /// Those that still have a name.
    fn contents_of(&self, names: &BTreeMap<String, usize>) -> Vec<Content> {
        let mut contents = vec![Content::default(); self.contents.len()];
        for &id in names.values() {
            contents[id] = self.contents[id].clone();
        }
        contents
    }

    fn id(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl Storage for MemoryStorage {
    fn root(&self) -> &Path {
        Path::new("memory")
    }

    fn create_dir(&self, folder: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.called(Call::Name)?;
        if !folder.is_empty() {
            // Stands for the folder itself, so that it is listed while it is empty.
            let id = disk.contents.len();
            disk.contents.push(Content::default());
            disk.names.insert(format!("{folder}/."), id);
            disk.durable_names.insert(format!("{folder}/."), id);
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let disk = self.disk();
        let inside = disk.names.keys().filter_map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<String> =
            inside.filter_map(|name| Some(name.split('/').next()?.to_owned())).collect();
        names.dedup();
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let mut disk = self.disk();
        let id = match disk.id(name) {
            Ok(id) if access != Access::Create => id,
            Err(error) if access != Access::Create => return Err(error),
            _ => {
                disk.called(Call::Name)?;
                let id = disk.contents.len();
                disk.contents.push(Content::default());
                disk.names.insert(name.to_owned(), id);
                id
            }
        };
        if access == Access::Read && disk.late.as_ref().is_some_and(|late| late.0 == id) {
            disk.opened_late += 1;
            if disk.opened_late == 2 {
                (_, disk.contents[id].now) = disk.late.take().unwrap();
            }
        }
        Ok(Box::new(MemoryFile { storage: self.clone(), id, access }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.called(Call::Name)?;
        let id = disk.id(from)?;
        disk.names.remove(from);
        disk.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.called(Call::Name)?;
        disk.id(name)?;
        disk.names.remove(name);
        Ok(())
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.called(Call::Sync)?;
        let is_inside = |name: &String| name.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
        let inside: Vec<_> =
            disk.names.iter().filter(|(name, _)| is_inside(name)).map(|(n, &i)| (n.clone(), i)).collect();
        disk.durable_names.retain(|name, _| !is_inside(name));
        disk.durable_names.extend(inside);
        Ok(())
    }

    fn lock(&self, _name: &str) -> io::Result<Lock> {
        let mut disk = self.disk();
        disk.called(Call::Lock)?;
        if std::mem::replace(&mut disk.is_locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Lock::new(Unlock(self.clone())))
    }
}

struct Unlock(MemoryStorage);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.disk().is_locked = false;
    }
}

#[derive(Debug)]
struct MemoryFile {
    storage: MemoryStorage,
    id: usize,
    access: Access,
}

impl StorageFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.storage.disk().contents[self.id].now.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let disk = self.storage.disk();
        let rest = disk.contents[self.id].now.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert_ne!(self.access, Access::Read, "written through a handle for reading");
        let mut disk = self.storage.disk();
        let result = disk.called(Call::Write);
        // A write that fails may have written half of it.
        let bytes = if result.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let offset = usize::try_from(offset).unwrap();
        let content = &mut disk.contents[self.id];
        put(&mut content.now, offset, bytes);
        content.pending.push((offset, bytes.to_vec()));
        result
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.storage.disk();
        let result = disk.called(Call::Sync);
        let content = &mut disk.contents[self.id];
        let mut pending = std::mem::take(&mut content.pending);
        if result.is_err() {
            content.dropped.append(&mut pending);
        }
        for (offset, bytes) in pending {
            put(&mut content.durable, offset, &bytes);
        }
        result
    }
}
