//! Why a flow or a search ended without a result.

use saltmine_protocol::ChallengeError;

/// The stable name of a failure that the flow finds. The npm package adds those of its own rooms, and holds the
/// sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The challenge lacks a member, or one has the wrong form; [`Failure::field`] names it.
    ChallengeMalformed,
    /// The challenge asks for a hash function that is not known here.
    AlgorithmUnsupported,
    /// The challenge's range is larger than the caller's ceiling.
    MaxNumberTooLarge,
    /// The whole range was searched and nothing fits.
    NoSolution,
    /// The answer to a successful request is not what the protocol says.
    ResponseMalformed,
    /// 400 without a proof-of-work reason, and any other status of the 4xx class.
    BadRequest,
    /// The server wants a solution and none was sent.
    PowRequired,
    /// The server did not accept the solution.
    PowInvalid,
    /// The challenge ran out before its solution arrived.
    PowExpired,
    /// The solution was used before.
    PowReplayed,
    /// 401: the app does not hand out anonymous sessions.
    AnonymousNotAllowed,
    /// 403: the page's origin is not on the app's list.
    OriginNotAllowed,
    /// 404: no such app, or it is switched off.
    AppNotFound,
    /// 429.
    RateLimited,
    /// Any status from 500, and a status that no HTTP server should send.
    ServerError,
    /// A request was not answered: no connection, or the answer was kept from us.
    Network,
    /// A request was not answered in time.
    Timeout,
}

impl Code {
    /// The code as the npm package and its users know it.
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
        }
    }

    /// What a 400 means, by the `reason` in its problem document.
    pub(crate) fn of_reason(reason: &str) -> Self {
        [Self::PowRequired, Self::PowInvalid, Self::PowExpired, Self::PowReplayed]
            .into_iter()
            .find(|code| code.as_str() == reason)
            .unwrap_or(Self::BadRequest)
    }
}

/// A failure on its way out: a code, and what the sentence needs beside it. The server's own words (`detail` of its
/// problem document) are added by the host, who has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub code: Code,
    /// The HTTP status, when an answer came.
    pub status: Option<u16>,
    /// The JSON member that is missing or malformed.
    pub field: Option<&'static str>,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, status: None, field: None }
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
