use crate::Random;
use axum::http::HeaderMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) const REQUEST_ID: &str = "x-request-id";

/// The longest request id of a proxy, in characters.
const MAX_CHARACTERS: usize = 128;

/// Ids for requests: a random prefix, generated when the process starts, and a count.
///
/// They are for reading logs and protect nothing.
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

/// Returns the id that a trusted proxy gave the request, if it is fit for a log line and a header.
pub(super) fn of_proxy(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=MAX_CHARACTERS).contains(&id.len()) && id.bytes().all(is_plain)).then(|| id.to_owned())
}
