//! The use of quotas by an agent's response, added when the response ends in any way.

use super::counters::Lease;
use super::quota::{Quota, Subjects};
use super::{LimitReport, Limits};
use crate::{Error, context};
use std::sync::Arc;

/// Counts a response while it is written, and adds it to the quotas when it is dropped.
pub(crate) struct ReplyCharge {
    limits: Arc<Limits>,
    subjects: Subjects,
    tokens: context::TokenCount,
    stored_bytes: u64,
    /// The lease in the quota of simultaneous responses.
    _lease: Option<Lease>,
}

impl ReplyCharge {
    /// Adds a question to the quotas: a simultaneous response, the tokens that the agent reads, and the bytes that are
    /// stored.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(crate) async fn begin(
        limits: Arc<Limits>,
        subjects: Subjects,
        context_tokens: u64,
        question_bytes: u64,
        report: &LimitReport,
    ) -> Result<Self, Error> {
        let lease = limits.stream(&subjects, report).await?;
        // Before any quota is used: a visitor without tokens must not use up the stored bytes of their address.
        limits.require_rest(Quota::Tokens, &subjects, context_tokens, report).await?;
        limits.take(Quota::StoredBytes, &subjects, question_bytes, report).await?;
        limits.take(Quota::Tokens, &subjects, context_tokens, report).await?;
        Ok(Self { limits, subjects, tokens: context::TokenCount::default(), stored_bytes: 0, _lease: lease })
    }

    /// Counts a piece of the response.
    pub(crate) fn count(&mut self, piece: &str) {
        self.tokens.add(piece);
    }

    /// Records that the response is stored.
    pub(crate) fn note_stored(&mut self, bytes: u64) {
        self.stored_bytes = bytes;
    }
}

impl Drop for ReplyCharge {
    fn drop(&mut self) {
        let (limits, subjects) = (self.limits.clone(), self.subjects.clone());
        let (tokens, bytes) = (self.tokens.tokens(), self.stored_bytes);
        // Without a runtime the process is ending, and its counters with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                limits.charge(Quota::Tokens, &subjects, tokens).await;
                limits.charge(Quota::StoredBytes, &subjects, bytes).await;
            });
        }
    }
}
