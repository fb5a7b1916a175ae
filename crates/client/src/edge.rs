//! The door to JavaScript: does what the flow asks for, with `fetch`.
//!
//! The npm package's side of it is `pkg/src/engine.ts`.

use alloc::string::String;

use js_sys::{JSON, JsString, Object, Promise, Reflect};
use saltmine_protocol::{Algorithm, Challenge};
use saltmine_solver::{BACKEND, Job, Target, search};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestCredentials, RequestInit, Response};

use crate::failure::{Code, Failure};
use crate::flow::{self, Config, Event, Flow, Json, Request, Step};

#[wasm_bindgen]
extern "C" {
    /// What `session` needs to know; the npm package has checked it.
    pub type SessionOptions;
    #[wasm_bindgen(method, getter, js_name = baseUrl)]
    fn base_url(this: &SessionOptions) -> String;
    #[wasm_bindgen(method, getter, js_name = appId)]
    fn app_id(this: &SessionOptions) -> String;
    #[wasm_bindgen(method, getter)]
    fn origin(this: &SessionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn token(this: &SessionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = maxNumber)]
    fn max_number(this: &SessionOptions) -> f64;

    /// What the runtime around the engine does for it: time limits, and the slices of a search.
    pub type Host;
    /// Tells that the flow enters a state: `challenge`, `solving` or `session`.
    #[wasm_bindgen(method)]
    fn state(this: &Host, name: &str);
    /// A signal for one request: fires when the caller gives up or the time limit is reached.
    #[wasm_bindgen(method, js_name = requestSignal)]
    fn request_signal(this: &Host) -> AbortSignal;
    /// The request of that signal has ended: `""` if the signal did not fire, else `aborted` or `timeout`.
    #[wasm_bindgen(method, js_name = requestEnded)]
    fn request_ended(this: &Host) -> String;
    /// Searches the whole range in slices; resolves to the number, -1 for none, -2 if the caller gave up.
    #[wasm_bindgen(method)]
    fn search(this: &Host, search: Search) -> Promise;

    #[wasm_bindgen(catch, js_name = fetch)]
    fn global_fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn now_ms() -> f64;
    #[wasm_bindgen(js_namespace = Date, js_name = parse)]
    fn parse_date_ms(date: &str) -> f64;
    #[wasm_bindgen(js_name = encodeURIComponent)]
    fn encode_uri_component(text: &str) -> String;
}

/// The backend that this variant was built with: `simd128` or `scalar`.
#[wasm_bindgen]
#[must_use]
pub fn engine() -> String {
    BACKEND.into()
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
    /// `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`, as `{ code, field? }`.
    pub fn open(challenge: JsValue, ceiling: f64) -> Result<Search, JsValue> {
        let challenge = flow::read_challenge(&JsJson(challenge), whole(ceiling)).map_err(|f| failure(&f))?;
        Ok(Self::of(&challenge))
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

    fn of(challenge: &Challenge) -> Self {
        Self {
            job: Job::new(challenge.salt().as_bytes(), &target(challenge)),
            max_number: challenge.max_number(),
        }
    }
}

fn target(challenge: &Challenge) -> Target {
    fn bytes<const N: usize>(digest: &[u8]) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(digest);
        bytes
    }
    let digest = challenge.digest();
    match challenge.algorithm() {
        Algorithm::Sha1 => Target::Sha1(bytes(digest)),
        Algorithm::Sha256 => Target::Sha256(bytes(digest)),
        Algorithm::Sha384 => Target::Sha384(bytes(digest)),
        Algorithm::Sha512 => Target::Sha512(bytes(digest)),
    }
}

/// The whole flow: resolves to `{ token, expiresAt, proofOfWork }`.
///
/// # Errors
/// `{ code, status?, field?, detail?, cause? }` with any code of [`Code`].
#[wasm_bindgen]
pub async fn session(options: SessionOptions, host: Host) -> Result<JsValue, JsValue> {
    let mut flow = Flow::new(Config {
        base_url: options.base_url(),
        app_path: encode_uri_component(&options.app_id()),
        origin: options.origin(),
        token: options.token(),
        max_number: whole(options.max_number()),
    });
    let mut step = flow.start();
    loop {
        let event = match step {
            Step::Request(request) => {
                host.state(if request.method == "GET" { "challenge" } else { "session" });
                Event::Response(send(&request, &host).await?)
            }
            Step::Search(challenge) => {
                host.state("solving");
                let number = JsFuture::from(host.search(Search::of(&challenge))).await?;
                match number.as_f64() {
                    Some(number) if number >= 0.0 => Event::Searched(Some(whole(number))),
                    Some(-1.0) => Event::Searched(None),
                    _ => return Err(failure(&Code::Aborted.into())),
                }
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
    let ended = host.request_ended();
    answer.map_err(|cause| {
        let code = match ended.as_str() {
            "aborted" => Code::Aborted,
            "timeout" => Code::Timeout,
            _ => Code::Network,
        };
        let error = failure(&code.into());
        set(&error, "cause", &cause);
        error
    })
}

async fn exchange(request: &Request, signal: &AbortSignal) -> Result<flow::Response<JsJson>, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &request.headers {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_headers(&headers);
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::Omit);
    init.set_signal(Some(signal));
    let response: Response = JsFuture::from(global_fetch(&request.url, &init)?).await?.unchecked_into();
    let date_ms = response.headers().get("date")?.map(|date| parse_date_ms(&date)).filter(|ms| !ms.is_nan());
    let text: JsString = JsFuture::from(response.text()?).await?.unchecked_into();
    // Not JSON, or JSON that is no object: the flow tells what that means.
    let body = JSON::parse(&String::from(text)).ok().filter(JsValue::is_object).map(JsJson);
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
