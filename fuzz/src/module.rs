//! The client's module through the functions that it exports, as `pkg/src/work.ts` calls them.

use crate::body::Body;
use saltmine_client::edge::{self, Work};
use saltmine_client::flow::{Event, Now};
use serde_json::Value;

/// One piece of work, closed when dropped.
pub(crate) struct Module(*mut Work);

impl Module {
    pub(crate) fn session(options: &Body, solve_only: bool, now: Now) -> Self {
        let (input, len) = hand_over(options);
        // SAFETY: `input` is reserved, written and passed on once.
        Self(unsafe { edge::session(input, len, solve_only, now.ms, now.random) })
    }

    pub(crate) fn open(challenge: &Body, ceiling: u64) -> Self {
        let (input, len) = hand_over(challenge);
        // SAFETY: as above.
        Self(unsafe { edge::open(input, len, ceiling as f64) })
    }

    pub(crate) fn resume(&mut self, event: &Event<Body>, now: Now) {
        // SAFETY: the pointer is that of `session` or `open`, and this is its only owner.
        let work = unsafe { &mut *self.0 };
        match event {
            Event::Response(response) => {
                let (input, len) = response.body.as_ref().map_or((std::ptr::null_mut(), 0), hand_over);
                let known = |ms: Option<f64>| ms.unwrap_or(f64::NAN);
                let (date_ms, retry_after_ms) = (known(response.date_ms), known(response.retry_after_ms));
                let (ms, random) = (now.ms, now.random);
                // SAFETY: `input` is null, or reserved, written and passed on once.
                unsafe {
                    edge::responded(work, response.status, date_ms, retry_after_ms, input, len, ms, random)
                }
            }
            Event::Unanswered { timed_out } => edge::unanswered(work, *timed_out, now.ms, now.random),
            Event::Searched(found) => {
                edge::searched(work, found.map_or(-1.0, |n| n as f64), now.ms, now.random)
            }
            Event::Waited => edge::waited(work, now.ms, now.random),
        }
    }

    /// The step as JSON. It is in ASCII.
    pub(crate) fn step(&self) -> Value {
        // SAFETY: as in `resume`.
        let work = unsafe { &*self.0 };
        // SAFETY: a step's text lies there, and the work is not touched while it is read.
        let text = unsafe { std::slice::from_raw_parts(edge::step(work), edge::step_len(work)) };
        assert!(text.is_ascii());
        serde_json::from_slice(text).expect("a step is JSON")
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: as in `resume`; nobody uses it after this.
        unsafe { edge::close(self.0) }
    }
}

fn hand_over(members: &Body) -> (*mut u8, usize) {
    let form = members.form();
    let input = edge::reserve(form.len());
    // SAFETY: there is room for so many bytes.
    unsafe { input.copy_from_nonoverlapping(form.as_ptr(), form.len()) };
    (input, form.len())
}
