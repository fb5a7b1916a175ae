use crate::{AppState, StoreError};
use std::time::Duration;

/// Between two rounds of [`sweep`].
const PERIOD: Duration = Duration::from_secs(30);

/// How long a spent challenge is remembered after its end: longer than a request may be on its way, and than the
/// clocks of instances that share a database may differ.
const GRACE_SECONDS: u64 = 60 * 60;

/// Spent challenges forgotten at once: a short transaction, so that sessions do not wait for it.
const BATCH: u32 = 500;

/// Sweeps for as long as it is polled.
pub(crate) async fn sweep_forever(state: AppState) {
    loop {
        tokio::time::sleep(PERIOD).await;
        match sweep(&state).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "forgot challenges that have ended"),
            Err(error) => tracing::warn!(%error, "could not forget challenges that have ended"),
        }
    }
}

/// Forgets what no longer matters: spent challenges that have ended, and addresses that have gone quiet. Says how
/// many challenges those were.
///
/// # Errors
///
/// If the database fails; the next round tries again.
pub async fn sweep(state: &AppState) -> Result<u64, StoreError> {
    if let Some(limiter) = &state.rate_limiter {
        limiter.forget_quiet_addresses();
    }
    let before = state.clock.now_seconds().saturating_sub(GRACE_SECONDS);
    let mut forgotten = 0;
    loop {
        let batch = state.store.forget_challenges(before, BATCH).await?;
        forgotten += batch;
        if batch < u64::from(BATCH) {
            return Ok(forgotten);
        }
        // Others write in between.
        tokio::task::yield_now().await;
    }
}
