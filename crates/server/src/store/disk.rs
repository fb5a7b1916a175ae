use super::StoreError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The space that must be left: a checkpoint of the log beside the file takes 4 MB, and conversations of some minutes the
/// rest.
const MIN_FREE_BYTES: u64 = 16 << 20;

/// The disk of SQLite's file. The log beside the file has space that is used again: on a full disk, small writes succeed for
/// a while.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    is_checking: Arc<AtomicBool>,
}

impl Disk {
    /// Returns the disk of a file, which exists. SQLite follows links, and so does this.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let file = file.canonicalize().ok()?;
        Some(Self { folder: file.parent()?.to_path_buf(), is_checking: Arc::default() })
    }

    /// Checks that the disk has space left. A disk that does not respond, such as one of a network, occupies one thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::DiskFull`]; [`StoreError::TimedOut`] while an earlier check runs.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        if self.is_checking.swap(true, Ordering::Relaxed) {
            return Err(StoreError::TimedOut);
        }
        let Self { folder, is_checking } = self.clone();
        let free = tokio::task::spawn_blocking(move || {
            let free = fs4::available_space(folder);
            is_checking.store(false, Ordering::Relaxed);
            free
        });
        // If the system does not know the space, the write that comes before this check decides.
        match free.await {
            Ok(Ok(free)) if free < MIN_FREE_BYTES => Err(StoreError::DiskFull { free }),
            _ => Ok(()),
        }
    }
}
