//! The promises of a flow, as a table of the steps that may follow: written after `docs/client.md` and the protocol,
//! not after the code.

use crate::body::Body;
use saltmine_client::failure::Code;
use saltmine_client::flow::{
    Config, Event, Goal, Json as _, Now, Request, Response, Step, Unanswered, read_challenge,
};
use saltmine_protocol::Challenge;

const REPEATS: u32 = 3;
const LAST_REPEAT_MS: f64 = 30_000.0;
/// By when a solution must be on its way, before its challenge ends.
const MARGIN_MS: f64 = 2_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Challenge,
    Session,
}

/// The step that must come next.
#[derive(Debug)]
enum Expected {
    Request(Kind),
    Search,
    /// Before the next request of this kind.
    Wait {
        next: Kind,
        least_ms: f64,
        most_ms: f64,
    },
    Granted,
    Solved,
    /// Proof of work is off.
    NothingToSolve,
    Failed(Code, Option<u16>),
}

pub(super) struct Model {
    config: Config,
    began_ms: f64,
    expected: Expected,
    repeats: u32,
    fresh_challenges: u32,
    /// The solution that the next request for a session carries.
    solution: Option<String>,
    challenge: Option<Box<Challenge>>,
    skew_ms: Option<f64>,
}

impl Model {
    pub(super) fn new(config: &Config, now: Now) -> Self {
        let prepared = config.solution.clone().filter(|_| config.goal == Goal::Session);
        let first = if prepared.is_some() { Kind::Session } else { Kind::Challenge };
        Self {
            config: config.clone(),
            began_ms: now.ms,
            expected: Expected::Request(first),
            repeats: 0,
            fresh_challenges: 0,
            solution: prepared,
            challenge: None,
            skew_ms: None,
        }
    }

    /// Whether the flow does what was expected of it.
    pub(super) fn check(&mut self, step: &Step) {
        let holds = match (&self.expected, step) {
            (Expected::Request(kind), Step::Request(request)) => self.is(*kind, request),
            (Expected::Wait { least_ms, most_ms, .. }, Step::Wait(ms)) => {
                (least_ms.floor()..=*most_ms).contains(&(*ms as f64))
            }
            (Expected::Search, Step::Search) | (Expected::NothingToSolve, Step::Solved(None)) => true,
            (Expected::Granted, Step::Granted(granted)) => {
                granted.proof_of_work == self.solution.is_some()
                    && granted.server_ms.is_some() == self.skew_ms.is_some()
            }
            (Expected::Solved, Step::Solved(Some(solved))) => Some(&solved.header) == self.solution.as_ref(),
            (Expected::Failed(code, status), Step::Failed(failure)) => {
                (failure.code, failure.status) == (*code, *status)
            }
            _ => false,
        };
        assert!(holds, "expected {:?}, got {step:?}", self.expected);
        if matches!(step, Step::Wait(_)) {
            self.repeats += 1;
        }
    }

    fn is(&self, kind: Kind, request: &Request) -> bool {
        let (method, url) = match kind {
            Kind::Challenge => ("GET", "https://api.example.com/a/run/auth/pow/challenge"),
            Kind::Session => ("POST", "https://api.example.com/a/run/auth/apps/app_1/anonymous-session"),
        };
        let mut headers = Vec::new();
        if kind == Kind::Session {
            headers.extend(self.solution.clone().map(|solution| ("X-Inkeep-Challenge-Solution", solution)));
            headers
                .extend(self.config.token.as_ref().map(|token| ("Authorization", format!("Bearer {token}"))));
        }
        (request.method, &*request.url, &request.headers) == (method, url, &headers)
    }

    pub(super) fn resume(&mut self, event: &Event<Body>, now: Now) {
        if let Event::Response(Response { date_ms: Some(date_ms), .. }) = event {
            self.skew_ms = Some(date_ms - now.ms);
        }
        self.expected = match (&self.expected, event) {
            (Expected::Request(kind), Event::Response(response)) => self.answered(*kind, response, now),
            (Expected::Request(kind), Event::Unanswered(Unanswered { timed_out, .. })) => {
                let code = if *timed_out { Code::Timeout } else { Code::Network };
                self.repeat(*kind, Expected::Failed(code, None), 0.0, now)
            }
            (Expected::Search, Event::Searched(Some(number))) => {
                self.solution =
                    self.challenge.as_ref().map(|challenge| challenge.solution(*number).to_header());
                self.began_ms = now.ms;
                self.spend(now)
            }
            (Expected::Search, Event::Searched(None)) => Expected::Failed(Code::NoSolution, None),
            (Expected::Wait { next: Kind::Challenge, .. }, Event::Waited) => self.ask_for_challenge(),
            (Expected::Wait { next: Kind::Session, .. }, Event::Waited) => self.spend(now),
            _ => Expected::Failed(Code::ResponseMalformed, None),
        };
    }

    fn answered(&mut self, kind: Kind, response: &Response<Body>, now: Now) -> Expected {
        let solve_only = self.config.goal == Goal::Solution;
        if kind == Kind::Challenge {
            self.challenge = None;
        }
        match (kind, response.status) {
            (Kind::Challenge, 200) => self.received(response.body.as_ref(), now),
            (Kind::Challenge, 404) if solve_only => Expected::NothingToSolve,
            (Kind::Challenge, 404) => Expected::Request(Kind::Session),
            (Kind::Session, 200) => {
                let has = |name| {
                    response
                        .body
                        .as_ref()
                        .and_then(|body| body.text(name))
                        .is_some_and(|text| !text.is_empty())
                };
                let complete = has("token") && has("expiresAt");
                if complete {
                    Expected::Granted
                } else {
                    Expected::Failed(Code::ResponseMalformed, Some(200))
                }
            }
            (_, status) => self.refused(kind, status, response, now),
        }
    }

    /// "429 and 5xx are asked again"; "`pow_expired`, `pow_invalid` and `pow_replayed` fetch one fresh challenge";
    /// "400, 401, 403 and 404 are final".
    fn refused(&mut self, kind: Kind, status: u16, response: &Response<Body>, now: Now) -> Expected {
        let reason = response.body.as_ref().and_then(|body| body.text("reason")).unwrap_or_default();
        let code = match (status, &*reason) {
            (400, "pow_required") => Code::PowRequired,
            (400, "pow_invalid") => Code::PowInvalid,
            (400, "pow_expired") => Code::PowExpired,
            (400, "pow_replayed") => Code::PowReplayed,
            (401, _) => Code::AnonymousNotAllowed,
            (403, _) => Code::OriginNotAllowed,
            (404, _) => Code::AppNotFound,
            (429, _) => Code::RateLimited,
            (400..=499, _) => Code::BadRequest,
            (500.., _) => Code::ServerError,
            _ => Code::ResponseMalformed,
        };
        let failed = Expected::Failed(code, Some(status));
        match code {
            Code::RateLimited | Code::ServerError => {
                self.repeat(kind, failed, response.retry_after_ms.unwrap_or_default(), now)
            }
            Code::PowInvalid | Code::PowExpired | Code::PowReplayed if kind == Kind::Session => {
                self.replace(failed)
            }
            // It was not asked for when the challenge was.
            Code::PowRequired if kind == Kind::Session && self.solution.is_none() => self.replace(failed),
            _ => failed,
        }
    }

    /// "Asked again up to 3 times, after 0 to 0.5, 1 and 2 s at random, or when `Retry-After` says, and never later than
    /// 30 s after the call. After a search these 30 s begin anew."
    fn repeat(&self, next: Kind, otherwise: Expected, retry_after_ms: f64, now: Now) -> Expected {
        let least_ms = retry_after_ms.max(0.0);
        let jitter_ms = [500.0, 1_000.0, 2_000.0].get(self.repeats as usize).copied();
        let Some(jitter_ms) = jitter_ms.filter(|_| self.repeats < REPEATS) else { return otherwise };
        // A clock that was set back does not measure the elapsed time: its absolute value is the worst case.
        let elapsed_ms = (now.ms - self.began_ms).abs();
        let late = elapsed_ms + (least_ms + jitter_ms * now.random) > LAST_REPEAT_MS;
        if late { otherwise } else { Expected::Wait { next, least_ms, most_ms: least_ms + jitter_ms } }
    }

    fn received(&mut self, body: Option<&Body>, now: Now) -> Expected {
        let Some(body) = body else { return Expected::Failed(Code::ResponseMalformed, Some(200)) };
        match read_challenge(body, self.config.max_number) {
            Err(failure) => Expected::Failed(failure.code, None),
            Ok(challenge) => {
                self.challenge = Some(challenge);
                if self.is_stale(now) { self.replace_stale() } else { Expected::Search }
            }
        }
    }

    fn spend(&mut self, now: Now) -> Expected {
        if self.is_stale(now) {
            self.replace_stale()
        } else if self.config.goal == Goal::Solution {
            Expected::Solved
        } else {
            Expected::Request(Kind::Session)
        }
    }

    /// By the server's clock, where it is known.
    fn is_stale(&self, now: Now) -> bool {
        let ends_at_seconds = self.challenge.as_ref().and_then(|challenge| challenge.expires_at_seconds());
        let (Some(ends_at_seconds), Some(skew_ms)) = (ends_at_seconds, self.skew_ms) else { return false };
        now.ms + skew_ms + MARGIN_MS > ends_at_seconds as f64 * 1_000.0
    }

    fn replace_stale(&mut self) -> Expected {
        self.replace(Expected::Failed(Code::PowExpired, None))
    }

    /// One fresh challenge.
    fn replace(&mut self, otherwise: Expected) -> Expected {
        self.fresh_challenges += 1;
        if self.fresh_challenges > 1 { otherwise } else { self.ask_for_challenge() }
    }

    fn ask_for_challenge(&mut self) -> Expected {
        self.solution = None;
        Expected::Request(Kind::Challenge)
    }
}
