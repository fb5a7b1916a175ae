//! The flow that gets a session, as a state machine without I/O.
//!
//! ```
//! use saltmine_client::flow::{Config, Flow, Goal, Now, Step};
//!
//! let now = Now { ms: 1_790_000_000_000.0, random: 0.5 };
//! let mut flow = Flow::new(Config {
//!     goal: Goal::Session,
//!     base_url: "https://api.example.com".into(),
//!     app_path: "app_1234567890abcdef".into(),
//!     challenge_paths: vec!["/run/auth/pow/challenge".into()],
//!     token: None,
//!     solution: None,
//!     max_number: 10_000_000,
//! });
//! let Step::Request(request) = flow.start(now) else { unreachable!() };
//! assert_eq!(request.url, "https://api.example.com/run/auth/pow/challenge");
//! ```

mod challenge;
mod json_text;
mod refusal;
mod retry;
mod types;
mod url;

use alloc::string::String;
use alloc::vec::Vec;

use saltmine_protocol::{JsonObject, SOLUTION_HEADER, encode_base64, whole};

use crate::failure::{Code, Failure};
use retry::Retries;

pub use challenge::{Challenge, read_challenge};
pub use types::{
    Config, Event, Goal, Granted, Json, Now, Request, Response, SolutionV2, Solved, Step, Unanswered,
};

/// A solution must reach the server this long before its challenge expires, by the server's clock.
const EXPIRY_MARGIN_MS: f64 = 2_000.0;
/// The path whose solutions are sent without the envelope `{"payload"}`.
const BARE_PATH: &str = "/run/auth/pow/challenge";

/// The requests of a flow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Challenge,
    /// Empty interaction data, for servers that want some before they send a challenge.
    Interaction,
    /// The solution, for servers that verify it before the session is requested.
    Verification,
    Session,
}

#[derive(Clone, Copy)]
enum State {
    Ended,
    Awaiting(Kind),
    Searching,
    Waiting(Kind),
}

/// The flow: challenge, search, session.
pub struct Flow {
    config: Config,
    state: State,
    retries: Retries,
    /// A challenge that expired, or whose solution was refused, is replaced once.
    replaced: bool,
    /// The index of the challenge path in use.
    path: usize,
    /// Whether that path responded with a challenge.
    answered: bool,
    /// The current challenge.
    challenge: Option<Challenge>,
    /// The URL for interaction data.
    interaction_url: String,
    /// The URL that verifies the solution before it is used.
    verify_url: Option<String>,
    /// The solution as ALTCHA writes it, in base64.
    payload: String,
    /// The value of [`SOLUTION_HEADER`] for the request for a session.
    solution: Option<String>,
    /// The server's clock minus the visitor's, from `Date`.
    skew_ms: Option<f64>,
}

impl Flow {
    /// Creates a flow that has not begun.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        Self {
            state: State::Ended,
            retries: Retries::default(),
            replaced: false,
            path: 0,
            answered: false,
            challenge: None,
            interaction_url: String::new(),
            verify_url: None,
            payload: String::new(),
            solution: config.solution.take(),
            skew_ms: None,
            config,
        }
    }

    /// Returns the first step.
    pub fn start(&mut self, now: Now) -> Step {
        self.retries.begin(now);
        if self.solution.is_some() && self.config.goal == Goal::Session {
            return self.request(Kind::Session, now);
        }
        self.request(Kind::Challenge, now)
    }

    /// Returns the next step after `event`. Every failure is [`Step::Failed`]; an event that does not belong to the
    /// last step fails the flow with `response_malformed`.
    pub fn resume<J: Json>(&mut self, event: Event<J>, now: Now) -> Step {
        let state = core::mem::replace(&mut self.state, State::Ended);
        if let Event::Response(Response { date_ms: Some(date_ms), .. }) = &event {
            self.skew_ms = Some(date_ms - now.ms);
        }
        match (state, event) {
            (State::Awaiting(kind), Event::Response(response)) => self.on_response(kind, &response, now),
            (State::Awaiting(kind), Event::Unanswered(Unanswered { timed_out, cause })) => {
                let code = if timed_out { Code::Timeout } else { Code::Network };
                let detail = Some(cause).filter(|_| !timed_out);
                self.try_again(kind, Failure { detail, ..code.into() }, now)
            }
            (State::Waiting(Kind::Session | Kind::Verification), Event::Waited)
                if self.about_to_expire(now) =>
            {
                self.another_challenge(Code::PowExpired.into(), now)
            }
            (State::Waiting(kind), Event::Waited) => self.request(kind, now),
            (State::Searching, Event::Searched(found)) => match (found, &self.challenge) {
                (Some(number), Some(Challenge::V1(challenge))) => {
                    self.payload = challenge.solution(number).to_header();
                    self.on_solved(now)
                }
                _ => failed(Code::NoSolution),
            },
            (State::Searching, Event::SearchedV2(found)) => match (found, &self.challenge) {
                (Some(solution), Some(Challenge::V2(challenge))) => {
                    self.payload = solution.to_payload(&challenge.text);
                    self.on_solved(now)
                }
                // The search ended early, and a timer may have been early too.
                (None, _) if self.search_time_ms(now).is_some_and(|ms| ms < 100.0) => {
                    self.another_challenge(Code::PowExpired.into(), now)
                }
                _ => failed(Code::NoSolution),
            },
            _ => failed(Code::ResponseMalformed),
        }
    }

    /// Returns the challenge that was read last: the one to search.
    #[must_use]
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// Returns the time after which a solution of the challenge would come too late, or `None` if it is not known.
    #[must_use]
    pub fn search_time_ms(&self, now: Now) -> Option<f64> {
        self.expires_in_ms(now).map(|ms| (ms - EXPIRY_MARGIN_MS).max(0.0))
    }

    fn on_response<J: Json>(&mut self, kind: Kind, response: &Response<J>, now: Now) -> Step {
        match (kind, response.status) {
            (Kind::Challenge, status) if status == 404 || (status == 400 && self.has_other_paths()) => {
                self.path += 1;
                self.request(Kind::Challenge, now)
            }
            (Kind::Challenge | Kind::Interaction, 200) => self.on_challenge(kind, response, now),
            (Kind::Verification, 200) => self.on_verified(response, now),
            (Kind::Session, 200) => self.on_session(response, now),
            _ => self.refused(kind, response, now),
        }
    }

    fn on_challenge<J: Json>(&mut self, kind: Kind, response: &Response<J>, now: Now) -> Step {
        let Some(body) = &response.body else { return malformed() };
        self.answered = true;
        if body.object("codeChallenge").is_some() {
            return failed(Code::InteractionRequired);
        }
        let url = self.challenge_url();
        if let Some(his) = body.object("his").and_then(|his| his.text("url")) {
            // A server that is not satisfied with no data wants a person's.
            if kind == Kind::Interaction {
                return failed(Code::InteractionRequired);
            }
            self.interaction_url = url::resolve(&his, &url);
            return self.request(Kind::Interaction, now);
        }
        let verify_url = body.object("configuration").and_then(|settings| settings.text("verifyUrl"));
        self.verify_url = verify_url.map(|reference| url::resolve(&reference, &url));
        match Challenge::read(body, self.config.max_number) {
            Ok(challenge) => self.challenge = Some(challenge),
            Err(failure) => return Step::Failed(failure),
        }
        if self.about_to_expire(now) {
            return self.another_challenge(Code::PowExpired.into(), now);
        }
        self.state = State::Searching;
        Step::Search
    }

    /// Continues with a solution, while it is valid.
    fn on_solved(&mut self, now: Now) -> Step {
        // The time limit of the retries does not include the search.
        self.retries.begin(now);
        if self.about_to_expire(now) {
            return self.another_challenge(Code::PowExpired.into(), now);
        }
        if self.verify_url.is_some() {
            return self.request(Kind::Verification, now);
        }
        self.use_payload(now)
    }

    fn on_verified<J: Json>(&mut self, response: &Response<J>, now: Now) -> Step {
        let Some(body) = &response.body else { return malformed() };
        if !body.is_true("verified") {
            return Step::Failed(Failure { detail: body.text("reason"), ..Code::PowInvalid.into() });
        }
        if let Some(payload) = body.text("payload") {
            self.payload = payload;
        }
        self.use_payload(now)
    }

    fn use_payload(&mut self, now: Now) -> Step {
        let payload = core::mem::take(&mut self.payload);
        let header = if self.is_bare_path() {
            payload
        } else {
            encode_base64(JsonObject::new().text("payload", &payload).finish().as_bytes())
        };
        if self.config.goal == Goal::Solution {
            let expires_in_ms = self.expires_in_ms(now);
            let challenge_path = self.challenge_path();
            return Step::Solved(Some(Solved { header, expires_in_ms, challenge_path }));
        }
        self.solution = Some(header);
        self.request(Kind::Session, now)
    }

    fn on_session<J: Json>(&mut self, response: &Response<J>, now: Now) -> Step {
        let member =
            |name| response.body.as_ref().and_then(|body| body.text(name)).filter(|text| !text.is_empty());
        match (member("token"), member("expiresAt")) {
            (Some(token), Some(expires_at)) => Step::Granted(Granted {
                token,
                expires_at,
                proof_of_work: self.solution.is_some(),
                server_ms: self.skew_ms.map(|skew_ms| now.ms + skew_ms),
                challenge_path: self.challenge_path(),
            }),
            _ => malformed(),
        }
    }

    /// Whether the path in use is the older one, or none.
    fn is_bare_path(&self) -> bool {
        self.config.challenge_paths.get(self.path).is_none_or(|path| path == BARE_PATH)
    }

    /// Whether a 400 of the path in use leaves other paths to try. A server that issues challenges for apps only refuses
    /// the older path: if it was remembered, the newer one follows; if the newer one responded 404, such as for an unknown
    /// app, the response to the session request has the reason.
    fn has_other_paths(&self) -> bool {
        self.path > 0 || (self.config.challenge_paths.len() > 1 && self.is_bare_path())
    }

    /// The challenge path that responded.
    fn challenge_path(&self) -> Option<String> {
        self.config.challenge_paths.get(self.path).filter(|_| self.answered).cloned()
    }

    fn challenge_url(&self) -> String {
        let path = self.config.challenge_paths.get(self.path).map_or("", |path| path);
        concat(&[&self.config.base_url, path])
    }

    /// The time until the challenge expires. Visitors' clocks are wrong by hours: where the server's clock is not known,
    /// only the server judges.
    fn expires_in_ms(&self, now: Now) -> Option<f64> {
        Some(self.challenge.as_ref()?.expires_at_ms()? - now.ms - self.skew_ms?)
    }

    fn about_to_expire(&self, now: Now) -> bool {
        self.search_time_ms(now).is_some_and(|ms| ms == 0.0)
    }

    /// Requests a fresh challenge, once in a flow.
    fn another_challenge(&mut self, otherwise: Failure, now: Now) -> Step {
        if core::mem::replace(&mut self.replaced, true) {
            return Step::Failed(otherwise);
        }
        // Proof of work was off, and is on: every path is requested again.
        if self.path >= self.config.challenge_paths.len() {
            self.path = 0;
        }
        self.request(Kind::Challenge, now)
    }

    fn request(&mut self, kind: Kind, now: Now) -> Step {
        self.state = State::Awaiting(kind);
        let mut headers = Vec::new();
        let mut body = None;
        let (method, url) = match kind {
            Kind::Challenge => {
                self.challenge = None;
                self.solution = None;
                if self.path < self.config.challenge_paths.len() {
                    ("GET", self.challenge_url())
                } else if self.config.goal == Goal::Solution {
                    // Proof of work is off on this server, even if an earlier challenge expired.
                    self.state = State::Ended;
                    return Step::Solved(None);
                } else {
                    return self.request(Kind::Session, now);
                }
            }
            Kind::Interaction => {
                let data = JsonObject::new()
                    .raw("focus", "[]")
                    .number("maxTouchPoints", 0)
                    .raw("pointer", "[]")
                    .raw("scroll", "[]")
                    .number("time", whole(now.ms))
                    .raw("touch", "[]");
                body = Some(JsonObject::new().raw("his", &data.finish()).finish());
                ("POST", self.interaction_url.clone())
            }
            Kind::Verification => {
                body = Some(JsonObject::new().text("payload", &self.payload).finish());
                ("POST", self.verify_url.clone().unwrap_or_default())
            }
            Kind::Session => {
                if let Some(solution) = &self.solution {
                    headers.push((SOLUTION_HEADER, solution.clone()));
                }
                if let Some(token) = &self.config.token {
                    headers.push(("Authorization", concat(&["Bearer ", token])));
                }
                let Config { base_url, app_path, .. } = &self.config;
                ("POST", concat(&[base_url, "/run/auth/apps/", app_path, "/anonymous-session"]))
            }
        };
        if body.is_some() {
            headers.push(("Content-Type", "application/json".into()));
        }
        Step::Request(Request { method, url, headers, body })
    }

    /// Handles a response that is not the expected one.
    fn refused<J: Json>(&mut self, kind: Kind, response: &Response<J>, now: Now) -> Step {
        let failure = refusal::failure_of(kind, response);
        let is_used = matches!(kind, Kind::Session | Kind::Verification);
        match failure.code {
            Code::PowExpired | Code::PowInvalid | Code::PowReplayed if is_used => {
                self.another_challenge(failure, now)
            }
            // The server asks for what was not sent: proof of work was switched on after the last response.
            Code::PowRequired if is_used && self.solution.is_none() => self.another_challenge(failure, now),
            Code::RateLimited | Code::ServerError => self.try_again(kind, failure, now),
            _ => Step::Failed(failure),
        }
    }

    fn try_again(&mut self, kind: Kind, failure: Failure, now: Now) -> Step {
        let Some(wait_ms) = self.retries.wait_ms(failure.retry_after_ms, now) else {
            return Step::Failed(failure);
        };
        self.state = State::Waiting(kind);
        Step::Wait(wait_ms)
    }
}

fn failed(code: Code) -> Step {
    Step::Failed(code.into())
}

fn malformed() -> Step {
    Step::Failed(Failure { status: Some(200), ..Code::ResponseMalformed.into() })
}

fn concat(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    text
}
