use jiff::Timestamp;
use std::time::{Duration, Instant};

/// The source of the time: the system's clock in production, a clock that the test controls in tests.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of day in whole milliseconds, as the database stores it, so that the response that creates an
    /// item and later ones have the same time. It may jump when the system's clock is set.
    fn now(&self) -> Timestamp;

    /// Returns the time since a fixed moment. It never decreases.
    fn elapsed(&self) -> Duration;

    /// Returns [`now`](Self::now) in Unix seconds, rounded down; 0 before 1970.
    fn now_seconds(&self) -> u64 {
        u64::try_from(self.now().as_second()).unwrap_or(0)
    }
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the source of the time")]
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the source of the time")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
