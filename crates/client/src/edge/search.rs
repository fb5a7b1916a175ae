//! A long search in short slices: between two of them the thread is free for messages, input and paint.

use saltmine_protocol::{Algorithm, Challenge, double, whole};
use saltmine_solver::{Job, Target};
use wasm_bindgen_futures::JsFuture;

use super::Ended;
use super::host::{Host, SearchOptions};
use super::object::{Body, Object};
use super::time::steady_ms;
use crate::flow::read_challenge;

/// The candidates of the first slice: few enough even for SHA-512 in JavaScript that is not compiled yet.
const FIRST_SLICE: f64 = 16.0;
const LARGEST_SLICE: f64 = 1_073_741_824.0;
/// The minimum duration so far of a search that is shared: to start a second worker takes as long.
const ALONE_MS: f64 = 50.0;
/// The minimum remaining duration of a search that is shared.
const WORTH_MS: f64 = 150.0;

/// Searches a challenge that the caller received.
pub(super) async fn challenge(
    members: Object,
    options: &SearchOptions,
    sharing: bool,
    host: &Host,
) -> Result<Option<u64>, Ended> {
    let body = Body::from(members);
    let challenge = read_challenge(&body, whole(options.max_number()))?;
    let end = options.end().unwrap_or_else(|| double(challenge.max_number()));
    range(&challenge, body.object, options.start(), end, sharing, host).await
}

/// Searches `start..=end` of a challenge whose JSON object is `members`.
pub(super) async fn range(
    challenge: &Challenge,
    members: Object,
    start: f64,
    end: f64,
    sharing: bool,
    host: &Host,
) -> Result<Option<u64>, Ended> {
    let total = end - start + 1.0;
    let mut searched = 0.0;
    let mut elapsed_ms = 0.0;
    let mut next = start;
    if let Some(target) = target(challenge) {
        let job = Job::new(challenge.salt().as_bytes(), &target);
        let slice_ms = host.slice_ms();
        let began = steady_ms();
        let mut last_pause = began;
        let mut size = FIRST_SLICE;
        loop {
            if next > end {
                return Ok(None);
            }
            let last = end.min(next + size - 1.0);
            let slice_began = steady_ms();
            let found = saltmine_solver::search(&job, whole(next)..=whole(last));
            let now = steady_ms();
            // A slice that took no time that the clock shows has no speed to report.
            if now > slice_began || found.is_some() || last >= end {
                searched = found.map_or(last, double) - start + 1.0;
                elapsed_ms = now - began;
                host.progress(searched, total, elapsed_ms);
            }
            if found.is_some() {
                return Ok(found);
            }
            // Clocks are coarse (up to 100 ms): at most four times the last size, whatever was measured.
            let growth = (slice_ms / (now - slice_began).max(0.001)).min(4.0);
            size = ((last - next + 1.0) * growth).clamp(1.0, LARGEST_SLICE);
            size -= size % 1.0;
            next = last + 1.0;
            let left_ms = (total - searched) * elapsed_ms / searched;
            if sharing && elapsed_ms > ALONE_MS && left_ms > WORTH_MS {
                break;
            }
            // The first slices only find the size; together they fit in one.
            if next <= end && now - last_pause >= slice_ms / 2.0 {
                JsFuture::from(host.pause()).await.map_err(Ended::Thrown)?;
                last_pause = steady_ms();
            }
        }
    }
    let rest = Object::new();
    rest.set("challenge", members);
    rest.set("start", next);
    rest.set("end", end);
    rest.set("searched", searched);
    rest.set("elapsedMs", elapsed_ms);
    let found = JsFuture::from(host.share(&rest)).await.map_err(Ended::Thrown)?;
    Ok(found.as_f64().map(whole))
}

/// Returns the digest to search for; `None` if this build does not have the challenge's hash function.
fn target(challenge: &Challenge) -> Option<Target> {
    let digest = challenge.digest();
    match challenge.algorithm() {
        Algorithm::Sha256 => digest.try_into().ok().map(Target::Sha256),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha1 => digest.try_into().ok().map(Target::Sha1),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha384 => digest.try_into().ok().map(Target::Sha384),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha512 => digest.try_into().ok().map(Target::Sha512),
        #[cfg(not(feature = "all-algorithms"))]
        _ => None,
    }
}
