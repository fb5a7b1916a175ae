//! A step as JSON: how it crosses to JavaScript. `pkg/src/worker/wasm-module.ts` has its type.

use alloc::string::String;

use saltmine_protocol::{Challenge, JsonObject, whole};

use crate::failure::Failure;
use crate::flow::{Granted, Request, Solved};

pub(crate) fn request(request: &Request) -> String {
    let mut headers = JsonObject::new();
    for (name, value) in &request.headers {
        headers = headers.text(name, value);
    }
    kind("request")
        .text("method", request.method)
        .text("url", &request.url)
        .raw("headers", &headers.finish())
        .finish()
}

/// `able`: whether this build has the challenge's hash function.
pub(crate) fn search(challenge: &Challenge, able: bool) -> String {
    kind("search").number("maxNumber", challenge.max_number()).number("able", u64::from(able)).finish()
}

pub(crate) fn wait(ms: u64) -> String {
    kind("wait").number("ms", ms).finish()
}

pub(crate) fn granted(granted: &Granted) -> String {
    let json = kind("granted")
        .text("token", &granted.token)
        .text("expiresAt", &granted.expires_at)
        .number("proofOfWork", u64::from(granted.proof_of_work));
    optional(json, "serverMs", granted.server_ms)
}

pub(crate) fn solved(solved: Option<&Solved>) -> String {
    let Some(Solved { header, expires_in_ms }) = solved else { return kind("solved").finish() };
    optional(kind("solved").text("header", header), "expiresInMs", *expires_in_ms)
}

pub(crate) fn failed(failure: &Failure) -> String {
    let mut json = kind("failed").text("code", failure.code.as_str());
    if let Some(status) = failure.status {
        json = json.number("status", status.into());
    }
    if let Some(field) = failure.field {
        json = json.text("field", field);
    }
    json.finish()
}

fn kind(kind: &str) -> JsonObject {
    JsonObject::new().text("type", kind)
}

/// A time that is in the past is now.
fn optional(json: JsonObject, name: &str, ms: Option<f64>) -> String {
    let json = if let Some(ms) = ms { json.number(name, whole(ms)) } else { json };
    json.finish()
}
