//! Runs a task's steps and prints which one runs and how many there are.

use std::env;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::test_tools::TestTools;

/// One step of a task.
pub(crate) struct Step {
    pub(crate) label: &'static str,
    /// Runs the step, with the tools that the steps of the tests share.
    pub(crate) run: fn(&mut TestTools) -> Result<()>,
}

/// How long a step may print nothing of its own.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A step that takes longer prints its duration.
const LONG_STEP: Duration = Duration::from_secs(5);

/// Runs the steps in order, until one fails. Their numbers follow those of `tools/run.mjs`, which passes how many steps
/// it had.
pub(crate) fn run_steps(steps: &[Step], tools: &mut TestTools) -> Result<()> {
    let before = env::var("XTASK_STEPS_BEFORE").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    let total = before + steps.len();
    for (index, step) in steps.iter().enumerate() {
        let heading = format!("[{}/{total}] {}", before + index + 1, step.label);
        eprintln!("{heading} …");
        let started = now();
        let heartbeat = Heartbeat::start(heading.clone(), started);
        (step.run)(tools)?;
        drop(heartbeat);
        if started.elapsed() >= LONG_STEP {
            eprintln!("{heading}: done in {} s", started.elapsed().as_secs());
        }
    }
    Ok(())
}

/// Prints at intervals that a step still runs, until it is dropped.
struct Heartbeat {
    _stop: Sender<()>,
}

impl Heartbeat {
    fn start(heading: String, started: Instant) -> Self {
        let (stop, stopped) = channel::<()>();
        thread::spawn(move || {
            while stopped.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{heading}: {} s so far", started.elapsed().as_secs());
            }
        });
        Self { _stop: stop }
    }
}

#[allow(clippy::disallowed_methods, reason = "the duration of a step is only printed")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::{Result, anyhow};

    use super::{Step, run_steps};
    use crate::test_tools::TestTools;

    static RAN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

    fn note_and(number: u32, result: Result<()>) -> Result<()> {
        RAN.lock().unwrap().push(number);
        result
    }

    #[test]
    fn steps_run_in_order_until_one_fails() {
        let steps: [Step; 3] = [
            Step { label: "first", run: |_| note_and(1, Ok(())) },
            Step { label: "second", run: |_| note_and(2, Err(anyhow!("no"))) },
            Step { label: "third", run: |_| note_and(3, Ok(())) },
        ];
        assert!(run_steps(&steps, &mut TestTools::default()).is_err());
        assert_eq!(*RAN.lock().unwrap(), [1, 2]);
    }
}
