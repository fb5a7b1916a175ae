//! The inputs and outputs of a flow.

use alloc::string::String;
use alloc::vec::Vec;

use saltmine_protocol::{JsonObject, encode_base64, whole};

use crate::failure::Failure;

/// The settings of a flow.
#[derive(Clone, Debug)]
pub struct Config {
    /// The result that the flow should have.
    pub goal: Goal,
    /// The service's address, without a slash at its end.
    pub base_url: String,
    /// The app's id, percent-encoded for a path.
    pub app_path: String,
    /// The paths of the challenge, query included, tried in order while the service responds 404; after the last one proof
    /// of work is off.
    pub challenge_paths: Vec<String>,
    /// The current token, so that the visitor keeps their identity.
    pub token: Option<String>,
    /// A solution that was prepared ahead ([`Solved::header`]): used before a challenge is requested.
    pub solution: Option<String>,
    /// The largest `maxnumber` that is searched: the member is not signed.
    pub max_number: u64,
}

/// The result that a flow should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A session token: [`Step::Granted`].
    Session,
    /// A solution that is not used yet: [`Step::Solved`].
    Solution,
}

/// Time and randomness, which a flow does not read by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Now {
    /// Unix milliseconds by the visitor's clock, which may be wrong.
    pub ms: f64,
    /// A number from 0 to below 1, generated for this call.
    pub random: f64,
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The absolute URL.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON text; `None` in a request without a body.
    pub body: Option<String>,
}

/// The parts of a JSON object that a flow reads.
pub trait Json: Sized {
    /// Returns the member, when it is a string.
    fn text(&self, name: &str) -> Option<String>;
    /// Returns the member as a number: NaN when it is present and no number, `None` when it is absent or null.
    fn number(&self, name: &str) -> Option<f64>;
    /// Returns the member, when it is an object (or an array).
    fn object(&self, name: &str) -> Option<Self>;
    /// Whether the member is `true`.
    fn is_true(&self, name: &str) -> bool;
    /// Returns the text that the object was parsed from; empty for a member's object.
    fn source(&self) -> String;
}

/// The response to a [`Request`].
#[derive(Clone, Debug)]
pub struct Response<J> {
    /// HTTP status.
    pub status: u16,
    /// The `Date` header in Unix milliseconds, where it can be read.
    pub date_ms: Option<f64>,
    /// The `Retry-After` header (RFC 9110, 10.2.3) as a time from now in milliseconds.
    pub retry_after_ms: Option<f64>,
    /// The `X-Request-Id` header, where it can be read.
    pub request_id: Option<String>,
    /// The body, when it is a JSON object.
    pub body: Option<J>,
}

/// A request without a response: the time limit was exceeded, there is no connection, or the browser blocks it (CORS).
#[derive(Clone, Debug, Default)]
pub struct Unanswered {
    /// Whether the request exceeded the time limit.
    pub timed_out: bool,
    /// The runtime's description of the cause.
    pub cause: String,
}

/// The solution of a challenge of ALTCHA version 2.
#[derive(Clone, Debug)]
pub struct SolutionV2 {
    /// The counter whose key matches.
    pub counter: u64,
    /// The key in hex.
    pub derived_key: String,
    /// The duration of the search, in milliseconds.
    pub time_ms: f64,
}

impl SolutionV2 {
    /// Returns the payload, base64 of JSON, with the challenge as it was received.
    pub(super) fn to_payload(&self, challenge: &str) -> String {
        let solution = JsonObject::new()
            .number("counter", self.counter)
            .text("derivedKey", &self.derived_key)
            .number("time", whole(self.time_ms));
        let payload = JsonObject::new().raw("challenge", challenge).raw("solution", &solution.finish());
        encode_base64(payload.finish().as_bytes())
    }
}

/// The outcome of the last step.
#[derive(Clone, Debug)]
pub enum Event<J> {
    /// The request got a response.
    Response(Response<J>),
    /// The request got no response.
    Unanswered(Unanswered),
    /// The search of a challenge of version 1 ended.
    Searched(Option<u64>),
    /// The search of a challenge of version 2 ended.
    SearchedV2(Option<SolutionV2>),
    /// The time of [`Step::Wait`] has passed.
    Waited,
}

/// The next step of the host.
#[derive(Debug)]
pub enum Step {
    /// Send this request; resume with [`Event::Response`] or [`Event::Unanswered`].
    Request(Request),
    /// Search [`Flow::challenge`](super::Flow::challenge) and resume with [`Event::Searched`] or [`Event::SearchedV2`].
    Search,
    /// Wait for this time, in milliseconds, and resume with [`Event::Waited`].
    Wait(u64),
    /// The flow has ended with a session.
    Granted(Granted),
    /// The flow has ended with a solution; `None`: proof of work is off on this server.
    Solved(Option<Solved>),
    /// The flow has failed.
    Failed(Failure),
}

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// The bearer token (JWT).
    pub token: String,
    /// The expiry, as the server wrote it (ISO 8601).
    pub expires_at: String,
    /// Whether a proof of work was required.
    pub proof_of_work: bool,
    /// The server's clock in Unix milliseconds, where it is known.
    pub server_ms: Option<f64>,
    /// The challenge path that responded with a challenge, if one was requested.
    pub challenge_path: Option<String>,
}

/// A solution to be used later.
#[derive(Clone, Debug, PartialEq)]
pub struct Solved {
    /// The value of [`SOLUTION_HEADER`](saltmine_protocol::SOLUTION_HEADER).
    pub header: String,
    /// Milliseconds until its challenge expires, where both that and the server's clock are known.
    pub expires_in_ms: Option<f64>,
    /// The challenge path that responded with a challenge.
    pub challenge_path: Option<String>,
}
