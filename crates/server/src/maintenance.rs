use crate::{AppState, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The time between two rounds of [`sweep`].
const PERIOD: Duration = Duration::from_secs(30);

/// The time limit of a round; the next one continues the work.
const ROUND: Duration = Duration::from_secs(10 * 60);

/// The time that a spent challenge is stored after its expiry: longer than a request may take to arrive, and longer than
/// the clocks of instances that share a database may differ.
const GRACE_SECONDS: u64 = 60 * 60;

/// The time that a revocation is kept: longer than any token is valid.
const REVOCATION_SECONDS: i64 = 366 * 24 * 60 * 60;

/// The time that the record of an erasure is kept: longer than an agent's reply may take.
const ERASURE_SECONDS: i64 = 24 * 60 * 60;

/// The number of rows deleted in one transaction: it is short, so that sessions do not wait for it.
const BATCH: u32 = 500;

/// The number of conversations of a batch, each with its messages.
const CONVERSATIONS: u32 = 20;

/// Sweeps for as long as it is polled.
pub(crate) async fn sweep_forever(state: AppState) {
    loop {
        tokio::time::sleep(PERIOD).await;
        match tokio::time::timeout(ROUND, sweep(&state)).await.unwrap_or(Err(StoreError::TimedOut)) {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "deleted expired data"),
            Err(error) => tracing::warn!(%error, "could not delete expired data"),
        }
    }
}

/// Deletes expired data: spent challenges that have expired, conversations of deleted apps and API keys, conversations and
/// events that are older than the retention period, and addresses without recent requests. Returns the number of deleted
/// rows.
///
/// # Errors
///
/// If the database fails; the next round tries again.
pub async fn sweep(state: &AppState) -> Result<u64, StoreError> {
    if let Some(limiter) = &state.rate_limiter {
        limiter.forget_quiet_addresses();
    }
    state.limits.forget_expired();
    state.apps.forget_unused();
    let before = state.clock.now_seconds().saturating_sub(GRACE_SECONDS);
    let mut forgotten = 0;
    loop {
        let challenges = state.store.forget_challenges(before, BATCH).await?;
        let conversations = state.store.delete_conversations_of_deleted_clients(BATCH).await?
            + delete_old_conversations(state).await?
            + delete_old_events(state).await?;
        let old = state.clock.now() - SignedDuration::from_secs(REVOCATION_SECONDS);
        let revocations = state.store.delete_old_revocations(old, BATCH).await?;
        let keep = state.settings.management.audit_entries;
        let audit_entries = state.store.delete_old_audit_entries(keep, BATCH).await?;
        let old = state.clock.now() - SignedDuration::from_secs(ERASURE_SECONDS);
        let erasures = state.store.delete_old_erasures(old, BATCH).await?;
        let round = challenges + conversations + revocations + audit_entries + erasures;
        if round == 0 {
            return Ok(forgotten);
        }
        forgotten += round;
        // Other transactions can write in between.
        tokio::task::yield_now().await;
    }
}

/// Deletes conversations without a message in the retention period.
async fn delete_old_conversations(state: &AppState) -> Result<u64, StoreError> {
    match retention_start(state) {
        Some(before) => state.store.delete_conversations_before(before, CONVERSATIONS).await,
        None => Ok(0),
    }
}

/// Deletes events that are older than the retention period, whether their conversation is or not.
async fn delete_old_events(state: &AppState) -> Result<u64, StoreError> {
    match retention_start(state) {
        Some(before) => state.store.delete_events_before(before, BATCH).await,
        None => Ok(0),
    }
}

/// Returns the start of the retention period, if there is one.
fn retention_start(state: &AppState) -> Option<Timestamp> {
    state.clock.now().checked_sub(state.settings.retention?).ok()
}
