//! The failures of a flow or a search.

use alloc::string::String;

use saltmine_protocol::ChallengeError;

/// The stable code of a failure of the flow. The npm package adds the codes of its own parts, and has the message for
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The challenge lacks a member, or one has the wrong form; [`Failure::field`] names it.
    ChallengeMalformed,
    /// The challenge requires a hash function that is not supported.
    AlgorithmUnsupported,
    /// The challenge's range is larger than the caller's limit.
    MaxNumberTooLarge,
    /// The whole range was searched, and no number solves the challenge.
    NoSolution,
    /// The body of a successful response does not follow the protocol.
    ResponseMalformed,
    /// 400 without a proof-of-work reason, and any other status of the 4xx class.
    BadRequest,
    /// The server requires a solution and none was sent.
    PowRequired,
    /// The server did not accept the solution.
    PowInvalid,
    /// The challenge expired before its solution arrived.
    PowExpired,
    /// The solution was used before.
    PowReplayed,
    /// 401: the app allows no anonymous sessions.
    AnonymousNotAllowed,
    /// 403: the page's origin is not among the app's.
    OriginNotAllowed,
    /// 404: the app does not exist or is disabled.
    AppNotFound,
    /// 429: too many requests.
    RateLimited,
    /// Any status from 500, and a status that no HTTP server should send.
    ServerError,
    /// A request got no response: no connection, or the browser blocks it (CORS).
    Network,
    /// A request got no response in time.
    Timeout,
    /// A person has to solve the challenge: type letters, for example.
    InteractionRequired,
    /// The caller's signal aborted the work.
    Aborted,
}

impl Code {
    /// Returns the code as the npm package and its users know it.
    ///
    /// ```
    /// use saltmine_client::failure::Code;
    /// assert_eq!(Code::PowExpired.as_str(), "pow_expired");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChallengeMalformed => "challenge_malformed",
            Self::AlgorithmUnsupported => "algorithm_unsupported",
            Self::MaxNumberTooLarge => "maxnumber_too_large",
            Self::NoSolution => "no_solution",
            Self::ResponseMalformed => "response_malformed",
            Self::BadRequest => "bad_request",
            Self::PowRequired => "pow_required",
            Self::PowInvalid => "pow_invalid",
            Self::PowExpired => "pow_expired",
            Self::PowReplayed => "pow_replayed",
            Self::AnonymousNotAllowed => "anonymous_not_allowed",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::AppNotFound => "app_not_found",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::InteractionRequired => "interaction_required",
            Self::Aborted => "aborted",
        }
    }
}

/// A failure: a code, and the details of its message.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The stable code of the failure.
    pub code: Code,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The JSON member that is missing or malformed.
    pub field: Option<&'static str>,
    /// The server's description (`detail` of its problem document), or the browser's of a request without a response.
    pub detail: Option<String>,
    /// The server's id of the refused request.
    pub request_id: Option<String>,
    /// How long the server asks to wait before the next request, in milliseconds.
    pub retry_after_ms: Option<f64>,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, status: None, field: None, detail: None, request_id: None, retry_after_ms: None }
    }
}

impl From<ChallengeError> for Failure {
    fn from(error: ChallengeError) -> Self {
        match error {
            ChallengeError::Malformed(field) => {
                Self { field: Some(field.name()), ..Self::from(Code::ChallengeMalformed) }
            }
            ChallengeError::UnknownAlgorithm => {
                Self { field: Some("algorithm"), ..Self::from(Code::AlgorithmUnsupported) }
            }
        }
    }
}
