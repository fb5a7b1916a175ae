//! One request and its response, within the time limit.

use alloc::string::String;

use js_sys::Promise;
use saltmine_protocol::whole;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Response as WebResponse};

use super::host::Host;
use super::object::{Body, Object};
use super::time::within;
use crate::flow::{Event, Request, Response, Unanswered};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &Object) -> Result<Promise, JsValue>;
}

/// Sends a request; a failure is an event too.
pub(super) async fn send(request: &Request, host: &Host) -> Event<Body> {
    let init = init_of(request, host);
    let response = if host.own_request().is_function() {
        JsFuture::from(host.request(&init)).await.map(Object::from)
    } else {
        match within(host.timeout_ms(), request_globally(&request.url, init)).await {
            Some(response) => response,
            None => return Event::Unanswered(Unanswered { timed_out: true, cause: String::new() }),
        }
    };
    match response {
        Ok(response) => received(&response),
        Err(thrown) => Event::Unanswered(Unanswered { timed_out: false, cause: describe(&thrown) }),
    }
}

/// Returns an `HttpRequest`, which is also the second argument of `fetch`.
fn init_of(request: &Request, host: &Host) -> Object {
    let headers = Object::new();
    for (name, value) in &request.headers {
        headers.set(name, value);
    }
    let origin = host.origin();
    if origin.is_string() {
        headers.set("Origin", origin);
    }
    let init = Object::new();
    init.set("method", request.method);
    init.set("url", &request.url);
    init.set("headers", headers);
    init.set_some("body", request.body.as_deref());
    init
}

/// Aborts a request when it is dropped; this has no effect on a request that has settled.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request with the global `fetch`; resolves with an `HttpResponse`.
async fn request_globally(url: &str, init: Object) -> Result<Object, JsValue> {
    let controller = AbortOnDrop(AbortController::new()?);
    // Chromium ignores its preflight cache for a request with "no-store", and browsers store no response to POST.
    if init.get("method").as_string().as_deref() == Some("GET") {
        init.set("cache", "no-store");
    }
    init.set("credentials", "omit");
    init.set("signal", controller.0.signal());
    let response: WebResponse = JsFuture::from(fetch(url, &init)?).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    let headers = response.headers();
    let header = |name| headers.get(name).ok().flatten();
    let object = Object::new();
    object.set("status", f64::from(response.status()));
    object.set_some("date", header("date"));
    object.set_some("retryAfter", header("retry-after"));
    object.set_some("requestId", header("x-request-id"));
    object.set("text", text);
    Ok(object)
}

/// Reads an `HttpResponse` or a `NoResponse`.
pub(super) fn received(response: &Object) -> Event<Body> {
    let text = |name| response.get(name).as_string();
    let Some(status) = response.get("status").as_f64() else {
        let timed_out = response.get("timedOut").is_truthy();
        return Event::Unanswered(Unanswered { timed_out, cause: text("cause").unwrap_or_default() });
    };
    let now_ms = js_sys::Date::now();
    // The dates of a response that was stored for a while are earlier by its age.
    let age_ms = response.get("ageMs").as_f64().unwrap_or_default();
    let known = |ms: f64| Some(ms + age_ms).filter(|ms| !ms.is_nan());
    let date_ms = text("date").and_then(|date| known(js_sys::Date::parse(&date)));
    let retry_after_ms = text("retryAfter").and_then(|value| {
        let until_ms = |date: f64| known(date - date_ms.unwrap_or(now_ms));
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds = value.bytes().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
            Some(seconds * 1_000.0 - age_ms)
        } else {
            until_ms(js_sys::Date::parse(&value))
        }
    });
    Event::Response(Response {
        status: u16::try_from(whole(status)).unwrap_or_default(),
        date_ms,
        retry_after_ms,
        request_id: text("requestId"),
        body: Body::parse(response.get("text")),
    })
}

/// Describes a thrown value with its causes: Node's `fetch failed` says nothing by itself.
fn describe(thrown: &JsValue) -> String {
    let mut text = String::new();
    let mut error = thrown.clone();
    while error.is_object() {
        let object = Object::from(error);
        let Some(message) = object.get("message").as_string() else { break };
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&message);
        error = object.get("cause");
    }
    text
}
