use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, also after a panic of another thread: the values in it are valid after each statement that changes
/// them.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
