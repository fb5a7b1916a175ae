//! The door to JavaScript: does what the flow asks for, with `fetch`.
//!
//! The npm package's side of it is `pkg/src/engine.ts`.

use alloc::string::String;

use js_sys::{Object, Promise, Reflect};
use saltmine_protocol::{Algorithm, Challenge};
use saltmine_solver::{Job, Target, search};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Response};

use crate::failure::{Code, Failure};
use crate::flow::{self, Config, Event, Flow, Json, Request, Step};

#[wasm_bindgen]
extern "C" {
    /// What the runtime around the engine does for it: time limits, and the slices of a search.
    pub type Host;
    /// Tells that the flow enters a state: `challenge`, `solving` or `session`.
    #[wasm_bindgen(method)]
    fn state(this: &Host, name: &str);
    /// A signal for one request: fires when the caller gives up or the time limit is reached.
    #[wasm_bindgen(method, js_name = requestSignal)]
    fn request_signal(this: &Host) -> AbortSignal;
    /// The request of that signal has ended: the code of its failure, if it failed: `aborted`, `timeout` or
    /// `network`.
    #[wasm_bindgen(method, js_name = requestEnded)]
    fn request_ended(this: &Host) -> JsValue;
    /// Searches the whole range in slices; resolves to the number or -1, rejects if the caller gives up.
    #[wasm_bindgen(method)]
    fn search(this: &Host, search: Search) -> Promise;

    #[wasm_bindgen(catch, js_name = fetch)]
    fn global_fetch(url: &str, init: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn now_ms() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    fn parse_date_ms(date: &str) -> f64;
    #[wasm_bindgen(catch, js_namespace = JSON, js_name = parse)]
    fn parse_json(text: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = encodeURIComponent)]
    fn encode_uri_component(text: &str) -> String;
}

/// A challenge that has been read, ready to be searched.
#[wasm_bindgen]
pub struct Search {
    job: Job,
    max_number: u64,
}

#[wasm_bindgen]
impl Search {
    /// Reads a challenge (the wire's JSON object) strictly, against the caller's ceiling.
    ///
    /// # Errors
    /// `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`, `engine_lacks_algorithm`, as
    /// `{ code, field? }`.
    pub fn open(challenge: JsValue, ceiling: f64) -> Result<Search, JsValue> {
        let challenge = flow::read_challenge(&JsJson(challenge), whole(ceiling)).map_err(|f| failure(&f))?;
        Self::of(&challenge)
    }

    /// The last candidate.
    #[wasm_bindgen(getter, js_name = maxNumber)]
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1, checked by Challenge::parse
    pub fn max_number(&self) -> f64 {
        self.max_number as f64
    }

    /// Searches `start..=end` at one go; the number, or -1.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a candidate is at most 2^53 - 1
    pub fn run(&self, start: f64, end: f64) -> f64 {
        search(&self.job, whole(start)..=whole(end)).map_or(-1.0, |number| number as f64)
    }

    fn of(challenge: &Challenge) -> Result<Self, JsValue> {
        let target = target(challenge).ok_or_else(|| failure(&Code::EngineLacksAlgorithm.into()))?;
        Ok(Self { job: Job::new(challenge.salt().as_bytes(), &target), max_number: challenge.max_number() })
    }
}

/// What to search for; `None` if this build does not have the challenge's hash function.
fn target(challenge: &Challenge) -> Option<Target> {
    let digest = challenge.digest();
    match challenge.algorithm() {
        Algorithm::Sha256 => digest.try_into().ok().map(Target::Sha256),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha1 => digest.try_into().ok().map(Target::Sha1),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha384 => digest.try_into().ok().map(Target::Sha384),
        #[cfg(feature = "all-algorithms")]
        Algorithm::Sha512 => digest.try_into().ok().map(Target::Sha512),
        #[cfg(not(feature = "all-algorithms"))]
        _ => None,
    }
}

/// The whole flow: from `{ baseUrl, appId, origin?, token?, maxNumber }`, which the npm package has checked, to
/// `{ token, expiresAt, proofOfWork }`.
///
/// # Errors
/// `{ code, status?, field?, detail?, cause? }` with any code of [`Code`](crate::failure::Code), or the host's.
#[wasm_bindgen]
pub async fn session(options: JsValue, host: Host) -> Result<JsValue, JsValue> {
    let options = JsJson(options);
    let mut flow = Flow::new(Config {
        base_url: options.text("baseUrl").unwrap_or_default(),
        app_path: encode_uri_component(&options.text("appId").unwrap_or_default()),
        origin: options.text("origin"),
        token: options.text("token"),
        max_number: whole(options.number("maxNumber").unwrap_or_default()),
    });
    let mut step = flow.start();
    loop {
        let event = match step {
            Step::Request(request) => {
                host.state(if request.method == "GET" { "challenge" } else { "session" });
                Event::Response(send(&request, &host).await?)
            }
            Step::Search => {
                host.state("solving");
                let search = flow.challenge().map_or_else(|| Err(JsValue::UNDEFINED), Search::of)?;
                let number = JsFuture::from(host.search(search)).await?;
                Event::Searched(number.as_f64().filter(|number| *number >= 0.0).map(whole))
            }
            Step::Done(session) => {
                return Ok(object(&[
                    ("token", session.token.into()),
                    ("expiresAt", session.expires_at.into()),
                    ("proofOfWork", session.proof_of_work.into()),
                ]));
            }
            Step::Failed(failed) => return Err(failure(&failed)),
        };
        step = flow.resume(event, now_ms());
    }
}

/// A JavaScript value seen as a JSON object.
struct JsJson(JsValue);

impl Json for JsJson {
    fn text(&self, name: &str) -> Option<String> {
        Reflect::get(&self.0, &name.into()).ok()?.as_string()
    }

    fn number(&self, name: &str) -> Option<f64> {
        let value = Reflect::get(&self.0, &name.into()).ok()?;
        if value.is_undefined() || value.is_null() { None } else { Some(value.as_f64().unwrap_or(f64::NAN)) }
    }
}

async fn send(request: &Request, host: &Host) -> Result<flow::Response<JsJson>, JsValue> {
    let answer = exchange(request, &host.request_signal()).await;
    let code = host.request_ended();
    answer.map_err(|cause| object(&[("code", code), ("cause", cause)]))
}

async fn exchange(request: &Request, signal: &AbortSignal) -> Result<flow::Response<JsJson>, JsValue> {
    // Plain objects, not `Headers` and `RequestInit`: each of their methods would be an import with glue.
    let headers = object(&[]);
    for (name, value) in &request.headers {
        set(&headers, name, &value.into());
    }
    let init = object(&[
        ("method", request.method.into()),
        ("headers", headers),
        ("cache", "no-store".into()),
        ("credentials", "omit".into()),
        ("signal", signal.into()),
    ]);
    let response: Response = JsFuture::from(global_fetch(&request.url, &init)?).await?.unchecked_into();
    let date_ms = response.headers().get("date")?.map(|date| parse_date_ms(&date)).filter(|ms| !ms.is_nan());
    let text = JsFuture::from(response.text()?).await?;
    // Not JSON, or JSON that is no object: the flow tells what that means.
    let body = parse_json(&text).ok().filter(JsValue::is_object).map(JsJson);
    Ok(flow::Response { status: response.status(), date_ms, body })
}

fn failure(failure: &Failure) -> JsValue {
    let error = object(&[("code", failure.code.as_str().into())]);
    if let Some(status) = failure.status {
        set(&error, "status", &status.into());
    }
    if let Some(field) = failure.field {
        set(&error, "field", &field.into());
    }
    if let Some(detail) = &failure.detail {
        set(&error, "detail", &detail.into());
    }
    error
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new().into();
    members.iter().for_each(|(name, value)| set(&object, name, value));
    object
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    // Setting a member of a plain object that we made ourselves cannot fail.
    let _ = Reflect::set(object, &name.into(), value);
}

/// A double that holds a whole number, as one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, which is what is wanted
fn whole(number: f64) -> u64 {
    number as u64
}
