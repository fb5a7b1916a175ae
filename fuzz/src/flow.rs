//! The client's flow under any answers, any clock and any luck: it ends, after few requests, with what the answers
//! mean. Input: bytes that [`script`] makes events of.
//!
//! The flow runs twice, as Rust and through the module's exported functions, next to a [`model`] of what the
//! documentation promises (`docs/client.md`, "What it does by itself").

mod model;
mod script;

use crate::body::Body;
use crate::module::Module;
use arbitrary::Unstructured;
use model::Model;
use saltmine_client::failure::{Code, Failure};
use saltmine_client::flow::{Config, Flow, Goal, Step};
use script::Script;
use serde_json::{Map, Value, json};

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
    let mut module = Module::session(&options(&config), config.goal == Goal::Solution, now);
    let mut model = Model::new(&config, now);
    let mut step = flow.start(now);
    let mut counts = Counts::default();
    loop {
        assert_eq!(module.step(), written(&step, &flow));
        model.check(&step);
        counts.add(&step);
        if has_ended(&step) {
            break;
        }
        let Ok(event) = script.answer(&step, &mut bytes) else { return };
        now = script.now();
        step = flow.resume(event.clone(), now);
        module.resume(&event, now);
        model.resume(&event, now);
    }
    // Nothing wakes it again.
    for event in script::every_event() {
        let after = flow.resume(event.clone(), now);
        module.resume(&event, now);
        assert!(matches!(after, Step::Failed(Failure { code: Code::ResponseMalformed, .. })), "{after:?}");
        assert_eq!(module.step(), written(&after, &flow));
    }
}

/// What a call may cost, whatever happens.
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

/// The options as `pkg/src/engine.ts` hands them over.
fn options(config: &Config) -> Body {
    let Config { base_url, app_path, token, solution, max_number, goal: _ } = config;
    let options = json!({
        "baseUrl": base_url, "appPath": app_path, "token": token, "solution": solution, "maxNumber": max_number,
    });
    Body::new(options).expect("an object")
}

/// The step as the module writes it.
fn written(step: &Step, flow: &Flow) -> Value {
    let past_is_now = |ms: f64| ms.max(0.0) as u64;
    let (kind, members) = match step {
        Step::Request(request) => {
            let headers: Map<_, _> =
                request.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            ("request", json!({ "method": request.method, "url": request.url, "headers": headers }))
        }
        Step::Search => {
            let challenge = flow.challenge().expect("something to search");
            ("search", json!({ "maxNumber": challenge.max_number(), "able": 1 }))
        }
        Step::Wait(ms) => ("wait", json!({ "ms": ms })),
        Step::Granted(granted) => (
            "granted",
            json!({
                "token": granted.token,
                "expiresAt": granted.expires_at,
                "proofOfWork": u8::from(granted.proof_of_work),
                "serverMs": granted.server_ms.map(past_is_now),
            }),
        ),
        Step::Solved(None) => ("solved", json!({})),
        Step::Solved(Some(solved)) => (
            "solved",
            json!({ "header": solved.header, "expiresInMs": solved.expires_in_ms.map(past_is_now) }),
        ),
        Step::Failed(failure) => (
            "failed",
            json!({ "code": failure.code.as_str(), "status": failure.status, "field": failure.field }),
        ),
    };
    let Value::Object(mut members) = members else { unreachable!("all of them are objects") };
    members.retain(|_, value| !value.is_null());
    members.insert("type".into(), kind.into());
    members.into()
}
