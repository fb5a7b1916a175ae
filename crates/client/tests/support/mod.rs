//! Shared parts of the flow's tests: responses, and the time at which all tests run.
#![allow(dead_code)] // each of them uses a part of it

use saltmine_client::failure::Failure;
use saltmine_client::flow::{Config, Event, Goal, Json, Now, Request, Response, Step, Unanswered};
use serde_json::{Value, json};

/// 2026-09-21T14:13:20Z, the time at which all of these tests play.
pub(crate) const NOW_MS: f64 = 1_790_000_000_000.0;
pub(crate) const SALT_AN_HOUR_LEFT: &str = "9296a1efb9cb79fb0d5d2ab8?expires=1790003600&";

/// The value, and the text that it was parsed from.
#[derive(Clone, Debug)]
pub(crate) struct Body(pub(crate) Value, pub(crate) String);

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        let text = value.to_string();
        Self(value, text)
    }
}

impl Json for Body {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Null => None,
            value => Some(value.as_f64().unwrap_or(f64::NAN)),
        }
    }

    fn object(&self, name: &str) -> Option<Self> {
        let value = self.0.get(name)?;
        (value.is_object() || value.is_array()).then(|| value.clone().into())
    }

    fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    fn source(&self) -> String {
        self.1.clone()
    }
}

pub(crate) fn config() -> Config {
    Config {
        goal: Goal::Session,
        base_url: "https://api.example.com".into(),
        app_path: "app_1".into(),
        challenge_paths: vec!["/run/auth/pow/challenge".into()],
        token: None,
        solution: None,
        max_number: 10_000_000,
    }
}

/// So many milliseconds after all began; the longest waits.
pub(crate) fn at(ms: f64) -> Now {
    Now { ms: NOW_MS + ms, random: 0.999 }
}

pub(crate) fn now() -> Now {
    at(0.0)
}

pub(crate) fn answer(status: u16, body: Value) -> Event<Body> {
    Event::Response(Response {
        status,
        date_ms: Some(NOW_MS),
        retry_after_ms: None,
        request_id: None,
        body: Some(body.into()),
    })
}

pub(crate) fn not_json(status: u16) -> Event<Body> {
    Event::Response(Response { status, date_ms: None, retry_after_ms: None, request_id: None, body: None })
}

pub(crate) fn unanswered(timed_out: bool) -> Event<Body> {
    Event::Unanswered(Unanswered { timed_out, cause: "fetch failed".into() })
}

pub(crate) fn challenge_expiring(salt: &str) -> Value {
    json!({ "algorithm": "SHA-256", "challenge": "0".repeat(64), "maxnumber": 50_000, "salt": salt, "signature": "1".repeat(64) })
}

pub(crate) fn challenge() -> Value {
    challenge_expiring(SALT_AN_HOUR_LEFT)
}

pub(crate) fn request(step: Step) -> Request {
    match step {
        Step::Request(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

pub(crate) fn failure(step: Step) -> Failure {
    match step {
        Step::Failed(failure) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}
