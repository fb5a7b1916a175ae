use crate::AppState;
use crate::metrics::ReplyOutcome;
use std::time::Duration;

/// Measures one reply of an agent: the time until its first piece, and its result. A reply that is dropped before
/// it is complete was cancelled by the client.
pub(super) struct ReplyMeter {
    state: AppState,
    agent_id: String,
    start: Duration,
    has_begun: bool,
    has_ended: bool,
}

impl ReplyMeter {
    pub(super) fn start(state: &AppState, agent_id: &str) -> Self {
        let (state, agent_id, start) = (state.clone(), agent_id.to_owned(), state.clock.elapsed());
        Self { state, agent_id, start, has_begun: false, has_ended: false }
    }

    /// Records that the agent sent a piece of text.
    pub(super) fn note_piece(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            let took = self.state.clock.elapsed().saturating_sub(self.start);
            self.state.metrics.first_piece(&self.agent_id, took);
        }
    }

    /// Records that the reply ended.
    pub(super) fn end(&mut self, outcome: ReplyOutcome) {
        self.has_ended = true;
        self.state.metrics.reply(&self.agent_id, outcome);
    }
}

impl Drop for ReplyMeter {
    fn drop(&mut self) {
        if !self.has_ended {
            self.end(ReplyOutcome::Cancelled);
        }
    }
}
