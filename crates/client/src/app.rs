//! The client for Rust web applications.

use alloc::string::{String, ToString as _};

use js_sys::{Function, Promise, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use crate::edge::{SessionOptions, session};

/// The length of one slice of a search on the page's own thread, in milliseconds: less than half a frame.
const SLICE_MS: f64 = 6.0;
/// The time limit of each request, in milliseconds.
const TIMEOUT_MS: f64 = 15_000.0;
/// The challenge of version 1.
const CHALLENGE_PATH: &str = "/run/auth/pow/challenge";
/// The largest `maxnumber` that is searched.
const MAX_NUMBER: u32 = 10_000_000;

/// A session of an anonymous visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The bearer token (JWT).
    pub token: String,
    /// The expiry of the token (ISO 8601, UTC).
    pub expires_at: String,
    /// Whether the server required a proof of work.
    pub proof_of_work: bool,
}

/// The error of a request for a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientError {
    /// The stable code, such as `origin_not_allowed`: one of [`Code`](crate::failure::Code).
    pub code: String,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The JSON member that is missing or malformed.
    pub field: Option<String>,
    /// The server's or the browser's description.
    pub detail: Option<String>,
    /// The server's id of the refused request.
    pub request_id: Option<String>,
    /// How long the server asks to wait before the next request, in milliseconds.
    pub retry_after_ms: Option<f64>,
}

impl core::fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(&self.code)?;
        if let Some(detail) = &self.detail {
            write!(formatter, ": {detail}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ClientError {}

/// A client of one app, for Rust web applications (Leptos, Yew, Dioxus).
///
/// The challenge is solved on the calling thread, in slices of 6 ms between which the page stays responsive. To solve
/// it in a Web Worker, run the application's client there.
///
/// It solves challenges of version 1, which the server sends to every client unless it is set to version 2 only.
///
/// The feature `app` adds serde and `serde-wasm-bindgen`: 11 KB (gzip) in a trial, which is why the npm package is built
/// without it.
///
/// ```no_run
/// # async fn example() -> Result<(), saltmine_client::ClientError> {
/// let client = saltmine_client::Client::new("http://127.0.0.1:8787", "app_demo000000000000");
/// let session = client.session().await?;
/// let authorization = format!("Bearer {}", session.token);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    base_url: String,
    app_id: String,
    token: Option<String>,
}

/// The options of [`session`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    base_url: &'a str,
    app_path: String,
    challenge_paths: [&'static str; 1],
    token: Option<&'a str>,
    max_number: u32,
    solve_only: bool,
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = encodeURIComponent)]
    fn encode_uri_component(text: &str) -> String;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: &Function);
}

impl Client {
    /// Creates a client; `base_url` is the service's address, `app_id` the app that the application belongs to.
    #[must_use]
    pub fn new(base_url: &str, app_id: &str) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_string(),
            app_id: encode_uri_component(app_id),
            token: None,
        }
    }

    /// Sets the current token, so that the visitor keeps their identity.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_string());
        self
    }

    /// Gets a session: requests a challenge, solves it, requests the session. Dropping the future aborts it.
    ///
    /// # Errors
    /// [`ClientError`] with the code of the failure.
    pub async fn session(&self) -> Result<Session, ClientError> {
        let options = Options {
            base_url: &self.base_url,
            app_path: self.app_id.clone(),
            challenge_paths: [CHALLENGE_PATH],
            token: self.token.as_deref(),
            max_number: MAX_NUMBER,
            solve_only: false,
        };
        let options = serde_wasm_bindgen::to_value(&options).map_err(|error| defect(&error))?;
        let controller = AbortOnDrop(AbortController::new().map_err(|error| defect(&error))?);
        let host = OwnHost::new(&controller.0);
        let promise =
            session(options.unchecked_into::<SessionOptions>(), host.object.clone().unchecked_into());
        match JsFuture::from(promise).await {
            Ok(grant) => serde_wasm_bindgen::from_value(grant).map_err(|error| defect(&error)),
            Err(failure) => {
                Err(serde_wasm_bindgen::from_value(failure).unwrap_or_else(|error| defect(&error)))
            }
        }
    }
}

fn defect(cause: &dyn core::fmt::Debug) -> ClientError {
    ClientError {
        code: "engine_failed".into(),
        status: None,
        field: None,
        detail: Some(alloc::format!("{cause:?}")),
        request_id: None,
        retry_after_ms: None,
    }
}

/// Aborts the request for a session when its future is dropped.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The environment of a search on this thread, as [`Host`](crate::Host) reads it.
struct OwnHost {
    object: JsValue,
    _pause: Closure<dyn Fn() -> Promise>,
    _ignore: Closure<dyn Fn()>,
}

impl OwnHost {
    fn new(controller: &AbortController) -> Self {
        let object: JsValue = js_sys::Object::new().into();
        let pause = Closure::new(|| Promise::new(&mut |resolve, _| set_timeout(&resolve)));
        let ignore = Closure::new(|| {});
        let set = |name: &str, value: &JsValue| {
            let _ = Reflect::set(&object, &name.into(), value);
        };
        set("signal", &controller.signal());
        set("sliceMs", &SLICE_MS.into());
        set("timeoutMs", &TIMEOUT_MS.into());
        set("sharing", &false.into());
        set("pause", pause.as_ref());
        set("state", ignore.as_ref());
        set("progress", ignore.as_ref());
        Self { object, _pause: pause, _ignore: ignore }
    }
}
