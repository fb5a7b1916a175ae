//! From nothing to a session, as a state machine without I/O.
//!
//! ```
//! use saltmine_client::flow::{Config, Flow, Step};
//!
//! let mut flow = Flow::new(Config {
//!     base_url: "https://api.example.com".into(),
//!     app_path: "app_1234567890abcdef".into(),
//!     origin: None,
//!     token: None,
//!     max_number: 10_000_000,
//! });
//! let Step::Request(request) = flow.start() else { unreachable!() };
//! assert_eq!(request.url, "https://api.example.com/run/auth/pow/challenge");
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use saltmine_protocol::{Challenge, RawChallenge, SOLUTION_HEADER};

use crate::failure::{Code, Failure};

/// A solution must reach the server this long before its challenge expires, by the server's clock.
const EXPIRY_MARGIN_MS: f64 = 2_000.0;

/// How many challenges one flow asks for: the first, and a fresh one when that ran out on the way.
const MAX_CHALLENGES: u8 = 2;

/// What a flow needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The service's address; slashes at its end are ignored.
    pub base_url: String,
    /// The app's id, percent-encoded for a path.
    pub app_path: String,
    /// The `Origin` to send, for runtimes that do not send one by themselves.
    pub origin: Option<String>,
    /// The token held until now, so that the visitor keeps their identity.
    pub token: Option<String>,
    /// The largest `maxnumber` that is worth searching: the member is not signed.
    pub max_number: u64,
}

/// One HTTP request without a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
}

/// A JSON object as far as a flow looks into it.
pub trait Json {
    /// The member, when it is a string.
    fn text(&self, name: &str) -> Option<String>;
    /// The member as a number: NaN when it is there and is none, `None` when it is absent or null.
    fn number(&self, name: &str) -> Option<f64>;
}

/// What came back for a [`Request`].
#[derive(Clone, Debug)]
pub struct Response<J> {
    /// HTTP status.
    pub status: u16,
    /// The `Date` header in Unix milliseconds, where it may be read.
    pub date_ms: Option<f64>,
    /// The body, when it is a JSON object.
    pub body: Option<J>,
}

/// What has happened since the last step.
#[derive(Clone, Debug)]
pub enum Event<J> {
    /// The request was answered.
    Response(Response<J>),
    /// The search ended.
    Searched(Option<u64>),
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this and resume with [`Event::Response`].
    Request(Request),
    /// Search the whole range of [`Flow::challenge`] and resume with [`Event::Searched`].
    Search,
    /// The end: a session.
    Done(Session),
    /// The end: a failure.
    Failed(Failure),
}

/// What the service hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The bearer token (JWT).
    pub token: String,
    /// When it expires, as the server wrote it (ISO 8601).
    pub expires_at: String,
    /// Whether a proof of work was asked for.
    pub proof_of_work: bool,
}

#[derive(Clone, Copy)]
enum State {
    Ended,
    AwaitingChallenge,
    Searching,
    AwaitingSession,
}

/// The flow of PROTOCOL sections 1 and 5: challenge, search, session.
pub struct Flow {
    config: Config,
    state: State,
    challenges: u8,
    /// The challenge in work, while there is one.
    challenge: Option<Challenge>,
    /// Server's clock minus ours, learned from `Date`.
    skew_ms: Option<f64>,
}

impl Flow {
    /// A flow that has not begun.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        let bare = config.base_url.trim_end_matches('/').len();
        config.base_url.truncate(bare);
        Self { config, state: State::Ended, challenges: 0, challenge: None, skew_ms: None }
    }

    /// The first step.
    pub fn start(&mut self) -> Step {
        self.request_challenge()
    }

    /// The next step after `event`, at `now_ms` (Unix milliseconds by the visitor's clock).
    ///
    /// # Errors
    /// There are none to return: every way to fail is [`Step::Failed`]. An event that does not belong to
    /// the last step fails the flow with `response_malformed`.
    pub fn resume<J: Json>(&mut self, event: Event<J>, now_ms: f64) -> Step {
        match (core::mem::replace(&mut self.state, State::Ended), event) {
            (State::AwaitingChallenge, Event::Response(response)) => self.on_challenge(&response, now_ms),
            (State::Searching, Event::Searched(found)) => self.on_searched(found, now_ms),
            (State::AwaitingSession, Event::Response(response)) => self.on_session(&response),
            _ => failed(Code::ResponseMalformed),
        }
    }

    /// The challenge that was read last, once there is one: what to search, and whether the session cost work.
    #[must_use]
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    fn request_challenge(&mut self) -> Step {
        self.challenges += 1;
        self.state = State::AwaitingChallenge;
        let url = concat(&[&self.config.base_url, "/run/auth/pow/challenge"]);
        self.request("GET", url, Vec::new())
    }

    fn on_challenge<J: Json>(&mut self, response: &Response<J>, now_ms: f64) -> Step {
        match response.status {
            200 => {}
            // Proof of work is off on this server, even if an earlier challenge ran out.
            404 => {
                self.challenge = None;
                return self.request_session(None);
            }
            _ => return Step::Failed(refusal(response)),
        }
        let Some(body) = &response.body else {
            return Step::Failed(Failure { status: Some(200), ..Code::ResponseMalformed.into() });
        };
        match read_challenge(body, self.config.max_number) {
            Ok(challenge) => self.challenge = Some(challenge),
            Err(failure) => return Step::Failed(failure),
        }
        self.skew_ms = response.date_ms.map(|date_ms| date_ms - now_ms);
        if self.about_to_expire(now_ms) {
            return self.another_challenge();
        }
        self.state = State::Searching;
        Step::Search
    }

    fn on_searched(&mut self, found: Option<u64>, now_ms: f64) -> Step {
        let Some(number) = found else { return failed(Code::NoSolution) };
        if self.about_to_expire(now_ms) {
            return self.another_challenge();
        }
        self.request_session(Some(number))
    }

    fn on_session<J: Json>(&self, response: &Response<J>) -> Step {
        if response.status != 200 {
            return Step::Failed(refusal(response));
        }
        let member =
            |name| response.body.as_ref().and_then(|body| body.text(name)).filter(|text| !text.is_empty());
        match (member("token"), member("expiresAt")) {
            (Some(token), Some(expires_at)) => {
                Step::Done(Session { token, expires_at, proof_of_work: self.challenge.is_some() })
            }
            _ => Step::Failed(Failure { status: Some(200), ..Code::ResponseMalformed.into() }),
        }
    }

    /// Visitors' clocks are wrong by hours: without the server's clock the server is left to judge.
    fn about_to_expire(&self, now_ms: f64) -> bool {
        match (self.challenge().and_then(Challenge::expires_at_seconds), self.skew_ms) {
            (Some(seconds), Some(skew_ms)) => {
                #[allow(clippy::cast_precision_loss)] // seconds since 1970 fit a double's 53 bits
                let expires_at_ms = seconds as f64 * 1_000.0;
                now_ms + skew_ms + EXPIRY_MARGIN_MS > expires_at_ms
            }
            _ => false,
        }
    }

    fn another_challenge(&mut self) -> Step {
        if self.challenges < MAX_CHALLENGES { self.request_challenge() } else { failed(Code::PowExpired) }
    }

    fn request_session(&mut self, number: Option<u64>) -> Step {
        self.state = State::AwaitingSession;
        let mut headers = Vec::new();
        if let (Some(number), Some(challenge)) = (number, &self.challenge) {
            headers.push((SOLUTION_HEADER, challenge.solution(number).to_header()));
        }
        if let Some(token) = &self.config.token {
            headers.push(("Authorization", concat(&["Bearer ", token])));
        }
        let Config { base_url, app_path, .. } = &self.config;
        let url = concat(&[base_url, "/run/auth/apps/", app_path, "/anonymous-session"]);
        self.request("POST", url, headers)
    }

    fn request(&self, method: &'static str, url: String, mut headers: Vec<(&'static str, String)>) -> Step {
        if let Some(origin) = &self.config.origin {
            headers.push(("Origin", origin.clone()));
        }
        Step::Request(Request { method, url, headers })
    }
}

/// Reads a challenge strictly and holds it against the caller's ceiling.
///
/// # Errors
/// `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`.
pub fn read_challenge<J: Json>(body: &J, max_number: u64) -> Result<Challenge, Failure> {
    let challenge = Challenge::parse(RawChallenge {
        algorithm: body.text("algorithm"),
        challenge: body.text("challenge"),
        max_number: body.number("maxnumber"),
        salt: body.text("salt"),
        signature: body.text("signature"),
        expires_at_ms: body.number("expiresAt"),
    })?;
    if challenge.max_number() > max_number {
        return Err(Code::MaxNumberTooLarge.into());
    }
    Ok(challenge)
}

/// What an answer other than 200 means.
fn refusal<J: Json>(response: &Response<J>) -> Failure {
    let text = |name| response.body.as_ref().and_then(|body| body.text(name));
    let code = match response.status {
        400 => match text("reason").as_deref() {
            Some("pow_required") => Code::PowRequired,
            Some("pow_invalid") => Code::PowInvalid,
            Some("pow_expired") => Code::PowExpired,
            Some("pow_replayed") => Code::PowReplayed,
            _ => Code::BadRequest,
        },
        401 => Code::AnonymousNotAllowed,
        403 => Code::OriginNotAllowed,
        404 => Code::AppNotFound,
        429 => Code::RateLimited,
        402..=499 => Code::BadRequest,
        // A success or redirect that is not 200 is an answer the protocol does not know.
        0..=399 => Code::ResponseMalformed,
        _ => Code::ServerError,
    };
    Failure { code, status: Some(response.status), field: None, detail: text("detail") }
}

fn failed(code: Code) -> Step {
    Step::Failed(code.into())
}

fn concat(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    text
}
