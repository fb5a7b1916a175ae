use crate::Random;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ids for requests: the same beginning for all of a process, drawn when it starts, and a count.
///
/// They are for reading logs and protect nothing. One that a client sends is not taken over.
pub(crate) struct RequestIds {
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &dyn Random) -> io::Result<Self> {
        Ok(Self { process: random.lowercase(12)?, count: AtomicU64::new(1) })
    }

    pub(super) fn next(&self) -> String {
        format!("req_{}_{}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}
