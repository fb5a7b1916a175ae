//! The client's flow with any responses, any clock and any random numbers: it ends after few requests, with the result
//! that the responses imply. Input: bytes that [`script`] turns into events.
//!
//! The flow runs next to a [`model`] of what the documentation promises (`docs/client.md`, "What it does by itself").

mod model;
mod script;

use arbitrary::Unstructured;
use model::Model;
use saltmine_client::failure::{Code, Failure};
use saltmine_client::flow::{Flow, Step};
use script::Script;

const MOST_REQUESTS: u32 = 7;
const MOST_WAITS: u32 = 3;
const MOST_WAIT_MS: u64 = 30_000;
const MOST_SEARCHES: u32 = 2;

/// Checks one case.
pub fn run(data: &[u8]) {
    let mut bytes = Unstructured::new(data);
    // Bytes that have run out read as zeros.
    let Ok(mut script) = Script::begin(&mut bytes) else { return };
    let config = script.config();
    let mut now = script.now();
    let mut flow = Flow::new(config.clone());
    let mut model = Model::new(&config, now);
    let mut step = flow.start(now);
    let mut counts = Counts::default();
    loop {
        model.check(&step);
        counts.add(&step);
        if has_ended(&step) {
            break;
        }
        let Ok(event) = script.answer(&step, &mut bytes) else { return };
        now = script.now();
        model.resume(&event, now);
        step = flow.resume(event, now);
    }
    // Nothing wakes it again.
    for event in script::every_event() {
        let after = flow.resume(event, now);
        assert!(matches!(after, Step::Failed(Failure { code: Code::ResponseMalformed, .. })), "{after:?}");
    }
}

/// The numbers of a call that are limited, whatever happens.
#[derive(Default)]
struct Counts {
    requests: u32,
    waits: u32,
    searches: u32,
}

impl Counts {
    fn add(&mut self, step: &Step) {
        match step {
            Step::Request(_) => self.requests += 1,
            Step::Search => self.searches += 1,
            Step::Wait(ms) => {
                self.waits += 1;
                assert!(*ms <= MOST_WAIT_MS, "a wait of {ms} ms");
            }
            _ => {}
        }
        assert!(self.requests <= MOST_REQUESTS && self.waits <= MOST_WAITS && self.searches <= MOST_SEARCHES);
    }
}

fn has_ended(step: &Step) -> bool {
    matches!(step, Step::Granted(_) | Step::Solved(_) | Step::Failed(_))
}
