//! Runs a flow: performs each step, and resumes with its outcome.

use alloc::string::String;
use alloc::vec::Vec;

use saltmine_protocol::{double, whole};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::host::{Host, SessionOptions};
use super::object::{Body, Object};
use super::time::{Sleep, now};
use super::{Ended, exchange, search};
use crate::failure::Code;
use crate::flow::{Challenge, Config, Event, Flow, Goal, Json as _, SolutionV2, Step};

/// Runs the flow to a session, or to a solution.
pub(super) async fn session(options: &SessionOptions, host: &Host) -> Result<JsValue, Ended> {
    let paths = options.challenge_paths();
    let mut flow = Flow::new(Config {
        goal: if options.solve_only() { Goal::Solution } else { Goal::Session },
        base_url: options.base_url(),
        app_path: options.app_path(),
        challenge_paths: paths.iter().filter_map(|path| path.as_string()).collect::<Vec<String>>(),
        token: options.token(),
        solution: options.solution(),
        max_number: whole(options.max_number()),
    });
    // Responses to the first requests that the caller made ahead.
    let mut challenge_response = options.challenge_response();
    let mut session_response = options.session_response();
    let mut members = Object::new();
    let mut began = now();
    began.ms -= options.elapsed_ms().unwrap_or(0.0);
    let mut step = flow.start(began);
    loop {
        let event = match step {
            Step::Request(request) => {
                let is_challenge = request.method == "GET";
                host.state(if is_challenge { "challenge" } else { "session" });
                let ahead = if is_challenge { challenge_response.take() } else { session_response.take() };
                let event = match ahead {
                    Some(response) => exchange::received(&response),
                    None => exchange::send(&request, host).await,
                };
                if let Event::Response(response) = &event
                    && let Some(body) = &response.body
                {
                    members = body.object.clone();
                }
                event
            }
            Step::Search => {
                host.state("solving");
                session_response = None;
                match flow.challenge() {
                    Some(Challenge::V1(challenge)) => {
                        let end = double(challenge.max_number());
                        let members = members.clone();
                        let found = search::range(challenge, members, 0.0, end, host.sharing(), host).await?;
                        Event::Searched(found)
                    }
                    Some(Challenge::V2(challenge)) => {
                        if !host.own_solve_v2().is_function() {
                            return Err(Code::AlgorithmUnsupported.into());
                        }
                        let found =
                            JsFuture::from(host.solve_v2(&challenge.text, flow.search_time_ms(now()))).await;
                        Event::SearchedV2(solution_v2(found.map_err(Ended::Thrown)?))
                    }
                    None => Event::Searched(None),
                }
            }
            Step::Wait(ms) => {
                host.state("waiting");
                Sleep::new(double(ms)).await;
                Event::Waited
            }
            end => return result(end),
        };
        step = flow.resume(event, now());
    }
}

/// Returns the result of the flow.
fn result(end: Step) -> Result<JsValue, Ended> {
    let object = Object::new();
    match end {
        Step::Granted(granted) => {
            object.set("type", "granted");
            object.set("token", granted.token);
            object.set("expiresAt", granted.expires_at);
            object.set("proofOfWork", granted.proof_of_work);
            object.set_some("serverMs", granted.server_ms);
            object.set_some("challengePath", granted.challenge_path);
        }
        Step::Solved(solved) => {
            object.set("type", "solved");
            if let Some(solved) = solved {
                object.set("header", solved.header);
                // A time in the past is now.
                object.set_some("expiresInMs", solved.expires_in_ms.map(|ms| ms.max(0.0)));
                object.set_some("challengePath", solved.challenge_path);
            }
        }
        Step::Failed(failure) => return Err(failure.into()),
        // The other steps are not ends.
        _ => return Err(Code::ResponseMalformed.into()),
    }
    Ok(object.into())
}

/// Reads a `SolutionV2`.
fn solution_v2(value: JsValue) -> Option<SolutionV2> {
    let found = value.is_object().then(|| Body::from(Object::from(value)))?;
    Some(SolutionV2 {
        counter: whole(found.number("counter")?),
        derived_key: found.text("derivedKey")?,
        time_ms: found.number("time").unwrap_or_default(),
    })
}
