//! The events of a flow, made from bytes: mostly responses that a server could send, so that flows continue, and
//! sometimes arbitrary ones.

use crate::body::Body;
use arbitrary::{Arbitrary, Result, Unstructured};
use saltmine_client::flow::{Config, Event, Goal, Now, Response, Step, Unanswered};
use serde_json::{Value, json};

const BEGIN_MS: f64 = 1_790_000_000_000.0;

/// The settings, and the visitor's clock.
pub(super) struct Script {
    setting: Setting,
    now: Now,
}

#[derive(Arbitrary)]
struct Setting {
    solve_only: bool,
    token: Option<String>,
    prepared: Option<String>,
    ceiling: u32,
}

/// The behaviour of the visitor's clock between two steps.
#[derive(Arbitrary)]
enum Clock {
    Stands,
    GoesOn(u16),
    Sleeps(u32),
    IsSetBack(u32),
}

#[derive(Arbitrary)]
enum Happening {
    Expected,
    Trouble { timed_out: bool },
    OutOfTurn(u8),
}

#[derive(Arbitrary)]
enum Status {
    Ok,
    NotFound,
    BadRequest,
    TooManyRequests,
    ServerError,
    Any(u16),
}

#[derive(Arbitrary)]
enum Content {
    Challenge { expires: Option<i16>, max_number: Option<u32>, wrong: Option<u8> },
    Grant { token: String, expires_at: String },
    Reason(Reason),
    Json(String),
    Nothing,
}

#[derive(Arbitrary)]
enum Reason {
    Required,
    Invalid,
    Expired,
    Replayed,
    Other(String),
}

#[derive(Arbitrary)]
enum RetryAfter {
    Absent,
    Seconds(u16),
    Ms(i64),
    Endless,
}

impl Script {
    pub(super) fn begin(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let setting = bytes.arbitrary()?;
        let mut script = Self { setting, now: Now { ms: BEGIN_MS, random: 0.0 } };
        script.turn_clock(bytes)?;
        Ok(script)
    }

    pub(super) fn config(&self) -> Config {
        let Setting { solve_only, token, prepared, ceiling } = &self.setting;
        Config {
            goal: if *solve_only { Goal::Solution } else { Goal::Session },
            base_url: "https://api.example.com/a".into(),
            app_path: "app_1".into(),
            challenge_paths: vec!["/run/auth/pow/challenge".into()],
            token: token.clone(),
            solution: prepared.clone(),
            max_number: (*ceiling).into(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.now
    }

    /// Returns the outcome of a step, and sets the time at which it arrives.
    pub(super) fn answer(&mut self, step: &Step, bytes: &mut Unstructured<'_>) -> Result<Event<Body>> {
        self.turn_clock(bytes)?;
        Ok(match (bytes.arbitrary()?, step) {
            (Happening::OutOfTurn(event), _) => every_event().swap_remove(usize::from(event % 5)),
            (Happening::Trouble { timed_out }, Step::Request(_)) => {
                Event::Unanswered(Unanswered { timed_out, ..Unanswered::default() })
            }
            (Happening::Expected, Step::Request(_)) => Event::Response(self.response(bytes)?),
            (Happening::Expected, Step::Search) => Event::Searched(Some(bytes.arbitrary::<u64>()? >> 11)),
            (Happening::Trouble { .. }, Step::Search) => Event::Searched(None),
            _ => Event::Waited,
        })
    }

    fn turn_clock(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        self.now.ms += match bytes.arbitrary()? {
            Clock::Stands => 0.0,
            Clock::GoesOn(ms) => ms.into(),
            Clock::Sleeps(ms) => ms.into(),
            Clock::IsSetBack(ms) => -f64::from(ms),
        };
        self.now.random = f64::from(bytes.arbitrary::<u16>()?) / 65_536.0;
        Ok(())
    }

    fn response(&self, bytes: &mut Unstructured<'_>) -> Result<Response<Body>> {
        let status = match bytes.arbitrary()? {
            Status::Ok => 200,
            Status::NotFound => 404,
            Status::BadRequest => 400,
            Status::TooManyRequests => 429,
            Status::ServerError => 503,
            Status::Any(status) => status,
        };
        // A time that `Date` can hold.
        let date_ms = bytes.arbitrary::<Option<i32>>()?.map(|ms| BEGIN_MS + f64::from(ms) * 16.0);
        let retry_after_ms = match bytes.arbitrary()? {
            RetryAfter::Absent => None,
            RetryAfter::Seconds(seconds) => Some(f64::from(seconds) * 1_000.0),
            RetryAfter::Ms(ms) => Some(ms as f64),
            RetryAfter::Endless => Some(f64::INFINITY),
        };
        Ok(Response { status, date_ms, retry_after_ms, request_id: None, body: content(bytes.arbitrary()?) })
    }
}

fn content(content: Content) -> Option<Body> {
    let value = match content {
        Content::Nothing => return None,
        Content::Json(text) => return Body::read(text.as_bytes()),
        Content::Grant { token, expires_at } => json!({ "token": token, "expiresAt": expires_at }),
        Content::Reason(reason) => {
            let reason = match reason {
                Reason::Required => "pow_required".to_owned(),
                Reason::Invalid => "pow_invalid".to_owned(),
                Reason::Expired => "pow_expired".to_owned(),
                Reason::Replayed => "pow_replayed".to_owned(),
                Reason::Other(words) => words,
            };
            json!({ "reason": reason })
        }
        Content::Challenge { expires, max_number, wrong } => {
            let at = |seconds: i16| format!("?expires={}", BEGIN_MS as i64 / 1_000 + i64::from(seconds));
            let salt = format!("ab12{}&", expires.map_or(String::new(), at));
            let mut members = json!({
                "algorithm": "SHA-256", "challenge": "0".repeat(64), "signature": "1".repeat(64), "salt": salt,
            });
            if let Some(number) = max_number {
                members["maxnumber"] = number.into();
            }
            let names = ["algorithm", "challenge", "signature", "salt", "maxnumber"];
            if let Some(name) = wrong.and_then(|wrong| names.get(usize::from(wrong))) {
                members[name] = Value::Bool(true);
            }
            members
        }
    };
    Body::new(value)
}

/// One of each kind.
pub(super) fn every_event() -> Vec<Event<Body>> {
    let response = |status| {
        Event::Response(Response {
            status,
            date_ms: None,
            retry_after_ms: None,
            request_id: None,
            body: Body::new(json!({})),
        })
    };
    vec![
        response(200),
        response(503),
        Event::Unanswered(Unanswered { timed_out: true, ..Unanswered::default() }),
        Event::Searched(Some(1)),
        Event::Waited,
    ]
}
