//! From nothing to a session, as a state machine without I/O.
//!
//! ```
//! use saltmine_client::flow::{Config, Flow, Goal, Now, Step};
//!
//! let now = Now { ms: 1_790_000_000_000.0, random: 0.5 };
//! let mut flow = Flow::new(Config {
//!     goal: Goal::Session,
//!     base_url: "https://api.example.com".into(),
//!     app_path: "app_1234567890abcdef".into(),
//!     token: None,
//!     solution: None,
//!     max_number: 10_000_000,
//! });
//! let Step::Request(request) = flow.start(now) else { unreachable!() };
//! assert_eq!(request.url, "https://api.example.com/run/auth/pow/challenge");
//! ```

mod retry;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use saltmine_protocol::{Challenge, RawChallenge, SOLUTION_HEADER, double};

use crate::failure::{Code, Failure};
use retry::Retries;

/// A solution must reach the server this long before its challenge expires, by the server's clock.
const EXPIRY_MARGIN_MS: f64 = 2_000.0;

/// What a flow needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the flow ends.
    pub goal: Goal,
    /// The service's address, without a slash at its end.
    pub base_url: String,
    /// The app's id, percent-encoded for a path.
    pub app_path: String,
    /// The token held until now, so that the visitor keeps their identity.
    pub token: Option<String>,
    /// A solution that was prepared ahead ([`Solved::header`]): spent before a challenge is asked for.
    pub solution: Option<String>,
    /// The largest `maxnumber` that is worth searching: the member is not signed.
    pub max_number: u64,
}

/// Where a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A session token: [`Step::Granted`].
    Session,
    /// A solution, not spent yet: [`Step::Solved`].
    Solution,
}

/// Time and chance, which a flow does not ask for by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Now {
    /// Unix milliseconds by the visitor's clock, whatever it is worth.
    pub ms: f64,
    /// A number from 0 to below 1, drawn for this call.
    pub random: f64,
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
    /// The `Retry-After` header (RFC 9110, 10.2.3) as a time from now in milliseconds.
    pub retry_after_ms: Option<f64>,
    /// The body, when it is a JSON object.
    pub body: Option<J>,
}

/// What has happened since the last step.
#[derive(Clone, Debug)]
pub enum Event<J> {
    /// The request was answered.
    Response(Response<J>),
    /// The request was not answered: not in time, or there is no connection, or the browser keeps the answer to itself
    /// (CORS).
    Unanswered {
        /// Whether time was up.
        timed_out: bool,
    },
    /// The search ended.
    Searched(Option<u64>),
    /// The time of [`Step::Wait`] is over.
    Waited,
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send this; resume with [`Event::Response`] or [`Event::Unanswered`].
    Request(Request),
    /// Search the whole range of [`Flow::challenge`] and resume with [`Event::Searched`].
    Search,
    /// Wait for so many milliseconds and resume with [`Event::Waited`].
    Wait(u64),
    /// The end of a flow to a session.
    Granted(Granted),
    /// The end of a flow to a solution; `None`: proof of work is off on this server.
    Solved(Option<Solved>),
    /// The end: a failure.
    Failed(Failure),
}

/// What the service hands out.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// The bearer token (JWT).
    pub token: String,
    /// When it expires, as the server wrote it (ISO 8601).
    pub expires_at: String,
    /// Whether a proof of work was asked for.
    pub proof_of_work: bool,
    /// The server's clock in Unix milliseconds, where it is known.
    pub server_ms: Option<f64>,
}

/// A solution to be spent later.
#[derive(Clone, Debug, PartialEq)]
pub struct Solved {
    /// The value of [`SOLUTION_HEADER`].
    pub header: String,
    /// Milliseconds until its challenge expires, where both that and the server's clock are known.
    pub expires_in_ms: Option<f64>,
}

#[derive(Clone, Copy)]
enum State {
    Ended,
    AwaitingChallenge,
    Searching,
    AwaitingSession,
    WaitingForChallenge,
    WaitingForSession,
}

/// The flow of PROTOCOL sections 1 and 5: challenge, search, session.
pub struct Flow {
    config: Config,
    state: State,
    retries: Retries,
    /// A challenge that ran out, or whose solution was refused, is replaced once.
    replaced: bool,
    /// The challenge in work, while there is one.
    challenge: Option<Box<Challenge>>,
    /// What is sent to the session endpoint as [`SOLUTION_HEADER`].
    solution: Option<String>,
    /// Server's clock minus ours, learned from `Date`.
    skew_ms: Option<f64>,
}

impl Flow {
    /// A flow that has not begun.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        Self {
            state: State::Ended,
            retries: Retries::default(),
            replaced: false,
            challenge: None,
            solution: config.solution.take(),
            skew_ms: None,
            config,
        }
    }

    /// The first step.
    pub fn start(&mut self, now: Now) -> Step {
        self.retries.begin(now);
        if self.solution.is_some() && self.config.goal == Goal::Session {
            return self.request_session();
        }
        self.request_challenge()
    }

    /// The next step after `event`.
    ///
    /// # Errors
    /// There are none to return: every way to fail is [`Step::Failed`]. An event that does not belong to
    /// the last step fails the flow with `response_malformed`.
    pub fn resume<J: Json>(&mut self, event: Event<J>, now: Now) -> Step {
        let state = core::mem::replace(&mut self.state, State::Ended);
        if let Event::Response(Response { date_ms: Some(date_ms), .. }) = &event {
            self.skew_ms = Some(date_ms - now.ms);
        }
        match (state, event) {
            (State::AwaitingChallenge, Event::Response(response)) => self.on_challenge(&response, now),
            (State::AwaitingSession, Event::Response(response)) => self.on_session(&response, now),
            (State::AwaitingChallenge | State::AwaitingSession, Event::Unanswered { timed_out }) => {
                let code = if timed_out { Code::Timeout } else { Code::Network };
                self.try_again(state, code.into(), None, now)
            }
            (State::WaitingForChallenge, Event::Waited) => self.request_challenge(),
            (State::WaitingForSession, Event::Waited) => self.spend(now),
            (State::Searching, Event::Searched(found)) => self.on_searched(found, now),
            _ => failed(Code::ResponseMalformed),
        }
    }

    /// The challenge that was read last, once there is one: what to search.
    #[must_use]
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_deref()
    }

    fn request_challenge(&mut self) -> Step {
        self.solution = None;
        self.state = State::AwaitingChallenge;
        let url = concat(&[&self.config.base_url, "/run/auth/pow/challenge"]);
        Step::Request(Request { method: "GET", url, headers: Vec::new() })
    }

    fn on_challenge<J: Json>(&mut self, response: &Response<J>, now: Now) -> Step {
        self.challenge = None;
        match response.status {
            200 => {}
            // Proof of work is off on this server, even if an earlier challenge ran out.
            404 if self.config.goal == Goal::Solution => return Step::Solved(None),
            404 => return self.request_session(),
            _ => return self.refused(State::AwaitingChallenge, response, now),
        }
        let Some(body) = &response.body else {
            return Step::Failed(Failure { status: Some(200), ..Code::ResponseMalformed.into() });
        };
        match read_challenge(body, self.config.max_number) {
            Ok(challenge) => self.challenge = Some(challenge),
            Err(failure) => return Step::Failed(failure),
        }
        if self.about_to_expire(now) {
            return self.another_challenge(Code::PowExpired.into());
        }
        self.state = State::Searching;
        Step::Search
    }

    fn on_searched(&mut self, found: Option<u64>, now: Now) -> Step {
        let (Some(number), Some(challenge)) = (found, &self.challenge) else {
            return failed(Code::NoSolution);
        };
        self.solution = Some(challenge.solution(number).to_header());
        self.spend(now)
    }

    /// Goes on with the solution, while it is good.
    fn spend(&mut self, now: Now) -> Step {
        if self.about_to_expire(now) {
            return self.another_challenge(Code::PowExpired.into());
        }
        if self.config.goal == Goal::Solution {
            let expires_in_ms = self.expires_in_ms(now);
            return Step::Solved(self.solution.take().map(|header| Solved { header, expires_in_ms }));
        }
        self.request_session()
    }

    fn on_session<J: Json>(&mut self, response: &Response<J>, now: Now) -> Step {
        if response.status != 200 {
            return self.refused(State::AwaitingSession, response, now);
        }
        let member =
            |name| response.body.as_ref().and_then(|body| body.text(name)).filter(|text| !text.is_empty());
        match (member("token"), member("expiresAt")) {
            (Some(token), Some(expires_at)) => Step::Granted(Granted {
                token,
                expires_at,
                proof_of_work: self.solution.is_some(),
                server_ms: self.skew_ms.map(|skew_ms| now.ms + skew_ms),
            }),
            _ => Step::Failed(Failure { status: Some(200), ..Code::ResponseMalformed.into() }),
        }
    }

    /// Until the challenge expires. Visitors' clocks are wrong by hours: without the server's clock the server is left
    /// to judge.
    fn expires_in_ms(&self, now: Now) -> Option<f64> {
        let seconds = self.challenge.as_ref()?.expires_at_seconds()?;
        Some(double(seconds) * 1_000.0 - now.ms - self.skew_ms?)
    }

    fn about_to_expire(&self, now: Now) -> bool {
        self.expires_in_ms(now).is_some_and(|ms| ms < EXPIRY_MARGIN_MS)
    }

    /// A fresh challenge, once a flow.
    fn another_challenge(&mut self, otherwise: Failure) -> Step {
        if core::mem::replace(&mut self.replaced, true) {
            return Step::Failed(otherwise);
        }
        self.request_challenge()
    }

    fn request_session(&mut self) -> Step {
        self.state = State::AwaitingSession;
        let mut headers = Vec::new();
        if let Some(solution) = &self.solution {
            headers.push((SOLUTION_HEADER, solution.clone()));
        }
        if let Some(token) = &self.config.token {
            headers.push(("Authorization", concat(&["Bearer ", token])));
        }
        let Config { base_url, app_path, .. } = &self.config;
        let url = concat(&[base_url, "/run/auth/apps/", app_path, "/anonymous-session"]);
        Step::Request(Request { method: "POST", url, headers })
    }

    /// An answer that is not the one that was asked for.
    fn refused<J: Json>(&mut self, state: State, response: &Response<J>, now: Now) -> Step {
        let failure = refusal(response);
        let spent = matches!(state, State::AwaitingSession);
        match failure.code {
            Code::PowExpired | Code::PowInvalid | Code::PowReplayed if spent => {
                self.another_challenge(failure)
            }
            // The server asks for what was not sent: proof of work was switched on after the last answer.
            Code::PowRequired if spent && self.solution.is_none() => self.another_challenge(failure),
            Code::RateLimited | Code::ServerError => {
                self.try_again(state, failure, response.retry_after_ms, now)
            }
            _ => Step::Failed(failure),
        }
    }

    fn try_again(&mut self, state: State, failure: Failure, retry_after_ms: Option<f64>, now: Now) -> Step {
        let Some(wait_ms) = self.retries.wait_ms(retry_after_ms, now) else { return Step::Failed(failure) };
        self.state = match state {
            State::AwaitingSession => State::WaitingForSession,
            _ => State::WaitingForChallenge,
        };
        Step::Wait(wait_ms)
    }
}

/// Reads a challenge strictly and holds it against the caller's ceiling.
///
/// # Errors
/// `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`.
pub fn read_challenge<J: Json>(body: &J, max_number: u64) -> Result<Box<Challenge>, Failure> {
    let challenge = Box::new(Challenge::parse(RawChallenge {
        algorithm: body.text("algorithm"),
        challenge: body.text("challenge"),
        max_number: body.number("maxnumber"),
        salt: body.text("salt"),
        signature: body.text("signature"),
        expires_at_ms: body.number("expiresAt"),
    })?);
    if challenge.max_number() > max_number {
        return Err(Code::MaxNumberTooLarge.into());
    }
    Ok(challenge)
}

/// What an answer other than 200 means.
fn refusal<J: Json>(response: &Response<J>) -> Failure {
    let reason = || response.body.as_ref().and_then(|body| body.text("reason")).unwrap_or_default();
    let code = match response.status {
        400 => Code::of_reason(&reason()),
        401 => Code::AnonymousNotAllowed,
        403 => Code::OriginNotAllowed,
        404 => Code::AppNotFound,
        429 => Code::RateLimited,
        402..=499 => Code::BadRequest,
        // A success or redirect that is not 200 is an answer the protocol does not know.
        0..=399 => Code::ResponseMalformed,
        _ => Code::ServerError,
    };
    Failure { code, status: Some(response.status), field: None }
}

fn failed(code: Code) -> Step {
    Step::Failed(code.into())
}

fn concat(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    text
}
