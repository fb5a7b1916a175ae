//! Challenges of version 2 made in advance. Their keys are derived on separate threads, so that in the usual case neither
//! a request nor the threads that serve requests wait for a key.

use super::queue::{self, Queue, Requester};
use crate::metrics::PoolMetrics;
use crate::{Error, Random};
use saltmine_protocol::v2::{Parameters, Prepared, Settings};
use saltmine_solver::kdf::{self, CounterMode};
use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// The number of challenges that wait for requests. Their expiry is set when they are sent.
const READY: usize = 128;

/// The time that a request waits for its challenge.
const PATIENCE: Duration = Duration::from_secs(5);

/// The seconds after which a refused client should try again.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Challenges made in advance, and the threads that make them. The threads start with the first request.
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    settings: Settings,
    counters: RangeInclusive<u32>,
    random: Arc<dyn Random>,
    metrics: PoolMetrics,
    state: Mutex<State>,
    /// Notified when there may be work.
    work: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Prepared>,
    queue: Queue<Job>,
    threads: usize,
    is_closed: bool,
    /// Whether the last challenge could not be made: none is made in advance until the next request.
    has_failed: bool,
}

/// A waiting request.
struct Job {
    counters: RangeInclusive<u32>,
    answer: oneshot::Sender<io::Result<Prepared>>,
}

impl queue::Job for Job {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Pool {
    pub(crate) fn new(
        settings: Settings,
        counters: RangeInclusive<u32>,
        random: Arc<dyn Random>,
        metrics: PoolMetrics,
    ) -> Self {
        let (state, work) = Default::default();
        Self(Arc::new(Shared { settings, counters, random, metrics, state, work }))
    }

    /// Takes a challenge that is ready, or waits for one, in turns with the requests of other apps and networks.
    /// Only challenges with counters of the pool's own range are made in advance.
    ///
    /// # Errors
    ///
    /// [`Error::ChallengesBusy`] if too many requests already wait, if it takes too long, or if the thread panicked;
    /// [`Error::Random`] if the random source fails.
    pub(crate) async fn take(
        &self,
        requester: Requester<'_>,
        counters: &RangeInclusive<u32>,
    ) -> Result<Prepared, Error> {
        let unavailable = || Error::ChallengesBusy { retry_after_seconds: RETRY_AFTER_SECONDS };
        let busy = || {
            self.0.metrics.refused.inc();
            unavailable()
        };
        let prepared = {
            let mut state = self.0.lock();
            self.start(&mut state).map_err(Error::Random)?;
            state.has_failed = false;
            self.0.work.notify_one();
            let ready = if *counters == self.0.counters { state.ready.pop_front() } else { None };
            if let Some(prepared) = ready {
                self.0.metrics.ready.dec();
                return Ok(prepared);
            }
            let (answer, prepared) = oneshot::channel();
            if !state.queue.push(requester, Job { counters: counters.clone(), answer }) {
                return Err(busy());
            }
            prepared
        };
        self.0.metrics.waited.inc();
        match tokio::time::timeout(PATIENCE, prepared).await {
            Ok(Ok(prepared)) => prepared.map_err(Error::Random),
            // The challenge could not be made. The reason is in the log.
            Ok(Err(_)) => Err(unavailable()),
            Err(_) => Err(busy()),
        }
    }

    /// Starts the threads, half as many as there are processors: the others serve requests.
    fn start(&self, state: &mut State) -> io::Result<()> {
        let wanted = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        while state.threads < wanted {
            let shared = self.0.clone();
            let thread = thread::Builder::new().name("challenges".to_owned());
            match thread.spawn(move || shared.make_challenges()) {
                Ok(_) => state.threads += 1,
                // The threads that started do the work.
                Err(_) if state.threads > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it has the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes challenges until the pool is dropped: first for waiting requests, then in advance.
    fn make_challenges(&self) {
        let mut state = self.lock();
        while !state.is_closed {
            if let Some(job) = state.queue.pop() {
                drop(state);
                let made = self.make(&job.counters);
                state = self.lock();
                state.has_failed = !matches!(made, Some(Ok(_)));
                // Without a result the sender is dropped, and the request ends at once.
                if let Some(made) = made {
                    let _ = job.answer.send(made);
                }
            } else if state.ready.len() < READY && !state.has_failed {
                drop(state);
                let made = self.make(&self.counters);
                state = self.lock();
                match made {
                    Some(Ok(prepared)) => {
                        state.ready.push_back(prepared);
                        self.metrics.ready.inc();
                    }
                    Some(Err(_)) | None => state.has_failed = true,
                }
            } else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Makes a challenge. Returns `None` if that panics, so that the thread does not end.
    fn make(&self, counters: &RangeInclusive<u32>) -> Option<io::Result<Prepared>> {
        let mut random = |bytes: &mut [u8]| self.random.fill(bytes);
        let make = || Prepared::new(&self.settings, counters, &mut random, derive);
        match panic::catch_unwind(AssertUnwindSafe(make)) {
            Ok(made) => {
                if made.is_ok() {
                    self.metrics.made.inc();
                }
                Some(made)
            }
            Err(panic) => {
                let error = Error::of_panic(&*panic);
                tracing::error!(%error, "could not make a challenge of version 2");
                None
            }
        }
    }
}

fn derive(parameters: &Parameters, counter: u32) -> io::Result<Vec<u8>> {
    let algorithm = kdf::Algorithm::from_name(parameters.algorithm.name());
    let parameters = kdf::Parameters {
        algorithm: algorithm.ok_or_else(|| io::Error::other("the key derivation is unknown"))?,
        nonce: &parameters.nonce,
        salt: &parameters.salt,
        cost: parameters.cost,
        memory_cost: parameters.memory_cost,
        parallelism: parameters.parallelism,
        key_length: parameters.key_length,
        counter_mode: CounterMode::Uint32,
    };
    kdf::derive(&parameters, counter.into()).map_err(io::Error::other)
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
