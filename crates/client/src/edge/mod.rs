//! The functions that JavaScript calls, and the functions of the runtime that they call.
//!
//! A call is cancelled by dropping it: it is one future, which is polled until it ends or the host's signal aborts it.
//! Each timer, listener and request that it has started ends with its guard.

mod driver;
mod exchange;
mod host;
mod object;
mod search;
mod time;
mod types;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use crate::failure::{Code, Failure};
pub use host::{Host, SearchOptions, SessionOptions};
pub use object::Object;
use time::until_aborted;

/// The error of a call: a failure of the flow, or the value that the host rejected with.
enum Ended {
    Failure(Failure),
    Thrown(JsValue),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Code> for Ended {
    fn from(code: Code) -> Self {
        Self::Failure(code.into())
    }
}

/// The work of one call. A single type, so that the module has the code of one future only.
enum Work {
    Session(SessionOptions),
    Search { challenge: Object, options: SearchOptions, sharing: bool },
}

/// Runs the whole flow: to a session, or to a solution with `solveOnly`.
#[wasm_bindgen(unchecked_return_type = "Promise<Grant | Solved>")]
pub fn session(options: SessionOptions, host: Host) -> Promise {
    start(Work::Session(options), host)
}

/// Searches a challenge that the caller received; resolves with the number, or null.
#[wasm_bindgen(unchecked_return_type = "Promise<number | null>")]
pub fn solve(
    #[wasm_bindgen(unchecked_param_type = "ChallengeMembers")] challenge: Object,
    options: SearchOptions,
    host: Host,
) -> Promise {
    let sharing = host.sharing();
    start(Work::Search { challenge, options, sharing }, host)
}

/// Searches a part of a challenge for another worker: the whole of `start..=end`, without sharing it.
#[wasm_bindgen(unchecked_return_type = "Promise<number | null>")]
pub fn search(
    #[wasm_bindgen(unchecked_param_type = "ChallengeMembers")] challenge: Object,
    options: SearchOptions,
    host: Host,
) -> Promise {
    start(Work::Search { challenge, options, sharing: false }, host)
}

fn start(work: Work, host: Host) -> Promise {
    future_to_promise(async move {
        let signal = host.signal();
        until_aborted(&signal, run(work, &host)).await.unwrap_or(Err(Code::Aborted.into())).map_err(|ended| {
            match ended {
                Ended::Failure(failure) => object::failure(&failure),
                Ended::Thrown(value) => value,
            }
        })
    })
}

async fn run(work: Work, host: &Host) -> Result<JsValue, Ended> {
    match work {
        Work::Session(options) => driver::session(&options, host).await,
        Work::Search { challenge, options, sharing } => {
            let found = search::challenge(challenge, &options, sharing, host).await?;
            Ok(found.map_or(JsValue::NULL, |number| saltmine_protocol::double(number).into()))
        }
    }
}
