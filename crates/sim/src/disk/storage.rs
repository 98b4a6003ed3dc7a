//! The disk as the journal sees it: names, files, syncs, and a lock.

use std::io;
use std::path::Path;

use betex_journal::{Access, Lock, Storage, StorageFile};

use super::{Call, Disk, Renaming, put};

impl Storage for Disk {
    fn root(&self) -> &Path {
        Path::new("disk")
    }

    fn create_dir(&self, folder: &str) -> io::Result<()> {
        let mut state = self.state();
        state.called(Call::Name)?;
        if !folder.is_empty() {
            // Stands for the folder itself, so that it is listed while it is empty.
            let id = state.create(format!("{folder}/."));
            state.durable_names.insert(format!("{folder}/."), id);
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let state = self.state();
        let inside = state.names.keys().filter_map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<String> =
            inside.filter_map(|name| Some(name.split('/').next()?.to_owned())).collect();
        names.dedup();
        Ok(names)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.state();
        let id = if access == Access::Create {
            state.called(Call::Name)?;
            if state.is_full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.create(name.to_owned())
        } else {
            state.id(name)?
        };
        Ok(Box::new(DiskFile { disk: self.clone(), id }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.called(Call::Name)?;
        let id = state.id(from)?;
        state.rename(Renaming { from: Some(from.to_owned()), to: Some((to.to_owned(), id)) });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.called(Call::Name)?;
        state.id(name)?;
        state.rename(Renaming { from: Some(name.to_owned()), to: None });
        Ok(())
    }

    fn sync_dir(&self, folder: &str) -> io::Result<()> {
        let mut state = self.state();
        state.called(Call::Name)?;
        if state.lies.sync_dir {
            return Ok(());
        }
        let (inside, elsewhere): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.renamings).into_iter().partition(|renaming| renaming.is_in(folder));
        state.renamings = elsewhere;
        inside.into_iter().for_each(|renaming| renaming.apply(&mut state.durable_names));
        Ok(())
    }

    fn lock(&self, _name: &str) -> io::Result<Lock> {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Lock::new(Unlock(self.clone())))
    }
}

struct Unlock(Disk);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.state().is_locked = false;
    }
}

#[derive(Debug)]
struct DiskFile {
    disk: Disk,
    id: usize,
}

impl StorageFile for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().contents[self.id].now.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = state.contents[self.id].now.get(offset..).unwrap_or_default();
        let len = rest.len().min(bytes.len());
        bytes[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let mut result = state.called(Call::Write);
        let is_full = state.is_full;
        let content = &mut state.contents[self.id];
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if is_full && offset + bytes.len() > content.now.len() {
            result = Err(io::ErrorKind::StorageFull.into());
        }
        // A write that fails may have written half of it.
        let bytes = if result.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        put(&mut content.now, offset, bytes);
        content.pending.push((offset, bytes.to_vec()));
        result
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        self.disk.clock.advance(state.sync_ns);
        let result = state.called(Call::Sync);
        if state.lies.sync {
            return Ok(());
        }
        let state = &mut *state;
        let content = &mut state.contents[self.id];
        if result.is_err() {
            // The kernel takes the pages for clean: they are shown, and not written again.
            let dice = &mut state.dice;
            content.write_back(|| dice.chance(500));
        }
        for (offset, bytes) in std::mem::take(&mut content.pending) {
            put(&mut content.durable, offset, &bytes);
        }
        result
    }
}
