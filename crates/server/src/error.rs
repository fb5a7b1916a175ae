use crate::{InvalidKey, StoreError, UserTokenError};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use saltmine_protocol::Refusal;
use std::any::Any;
use std::sync::Arc;

/// Everything that can go wrong with a request.
///
/// The text of an error below 500 is the `detail` that the client reads; that of the others is only for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No route has this path.
    #[error("This path does not exist.")]
    RouteNotFound,
    /// The route does not support the method.
    #[error("This route does not support the method.")]
    MethodNotAllowed,
    /// The app is unknown or disabled.
    #[error("App not found")]
    AppNotFound,
    /// The app is not a web client.
    #[error("This app is not of type web_client.")]
    AppTypeNotSupported,
    /// The type of an app cannot change.
    #[error("The type of an app cannot be changed. Create another app.")]
    AppTypeFixed,
    /// The app allows no anonymous sessions.
    #[error("Anonymous sessions are not allowed for this app.")]
    AnonymousNotAllowed,
    /// The page is not among the app's allowed domains, or sends no origin.
    #[error("Origin not allowed for this app")]
    OriginNotAllowed,
    /// Proof of work is off: there is no challenge to solve.
    #[error("Proof of work is not enabled on this server: request the session without a solution.")]
    PowDisabled,
    /// The server issues challenges only for an app.
    #[error(
        "This server issues challenges only for an app: request them from /run/auth/challenge?appId={{appId}}."
    )]
    PowAppRequired,
    /// The large bodies of other requests take all the memory for them.
    #[error("there is no memory for another large body")]
    BodiesBusy {
        /// Seconds until the request may be sent again.
        retry_after_seconds: u64,
    },
    /// Too many requests wait for a challenge, or no challenge could be issued.
    #[error("no challenge is available at the moment")]
    ChallengesBusy {
        /// The seconds until the next attempt.
        retry_after_seconds: u64,
    },
    /// The solution is missing or invalid.
    #[error(transparent)]
    Pow(#[from] Refusal),
    /// The request names no app.
    #[error("X-Inkeep-App-Id header is required")]
    AppIdMissing,
    /// No session token was sent.
    #[error("Bearer token required for web_client app")]
    TokenMissing,
    /// The session token is not from this server, or has expired.
    #[error("Invalid end-user JWT")]
    TokenInvalid,
    /// The app allows only signed-in users, and the token is not a valid token of one.
    #[error("Invalid end-user JWT: {0}")]
    UserTokenInvalid(#[from] UserTokenError),
    /// The session token is for another app.
    #[error("JWT app claim does not match request app ID")]
    TokenAppMismatch,
    /// The visitor has reached the limit of events, or the conversation the limit of feedback.
    #[error("The limit of events in 24 hours, or of feedback in a conversation, is reached.")]
    TooManyReports {
        /// The seconds until the next event is accepted; `None` for feedback, whose limit does not end.
        retry_after_seconds: Option<u64>,
    },
    /// The app already has a key with this `kid`.
    #[error("This app already has a key with this `kid`. Delete it first, or choose another `kid`.")]
    UserKeyExists,
    /// The app has the maximum number of keys.
    #[error("This app has the maximum number of keys. Delete one first.")]
    UserKeysFull,
    /// The app has no key with this `kid`.
    #[error("Key not found")]
    UserKeyNotFound,
    /// The key cannot verify tokens.
    #[error(transparent)]
    UserKeyInvalid(#[from] InvalidKey),
    /// The API key is unknown, or was deleted.
    #[error("Invalid API key")]
    ApiKeyInvalid,
    /// The API key has expired.
    #[error("This API key has expired.")]
    ApiKeyExpired,
    /// The owner has no API key with this id.
    #[error("API key not found")]
    ApiKeyNotFound,
    /// The conversation does not exist, or belongs to another user.
    #[error("Conversation not found")]
    ConversationNotFound,
    /// The conversation has the maximum number of messages, or the maximum size.
    #[error("This conversation is full. Start a new one.")]
    ConversationFull,
    /// The management key is missing or invalid, or the management API is closed.
    #[error("A valid management key is required.")]
    ManagementKey,
    /// The management key permits no changes.
    #[error("This management key only permits calls that change nothing.")]
    ManagementKeyReadOnly,
    /// The app's agent does not exist on this server.
    #[error("Agent not found")]
    AgentNotFound,
    /// The body is not JSON.
    #[error("The body is not valid JSON: {0}")]
    BodyMalformed(String),
    /// The body has no JSON content type.
    #[error("The body must be JSON, with the header Content-Type: application/json.")]
    BodyNotJson,
    /// The body did not arrive within the time limit.
    #[error("The body did not arrive in time.")]
    BodyTimedOut,
    /// The body is too long.
    #[error("The body is too large.")]
    BodyTooLarge,
    /// A member of the body, a parameter or a part of the path is invalid.
    #[error("{field}: {problem}")]
    Field {
        /// The path of the member, such as `config.webClient.allowedDomains[0]`.
        field: String,
        /// The problem, such as `is required`.
        problem: String,
    },
    /// Too many requests from this address.
    #[error("Too many requests. Please try again in {retry_after_seconds} s.")]
    RateLimited {
        /// The seconds until the next request is accepted.
        retry_after_seconds: u64,
    },
    /// A quota of the run API is used up.
    #[error(
        "The quota {quota} of this {subject}, {limit}, is used up. Please try again in {retry_after_seconds} s."
    )]
    QuotaExceeded {
        /// The quota: `requests`, `streams`, `stored-bytes` or `tokens`.
        quota: &'static str,
        /// The subject: `visitor`, `address` or `app`.
        subject: &'static str,
        /// The size of the quota.
        limit: u64,
        /// The seconds until there is more.
        retry_after_seconds: u64,
    },
    /// A layer refused the request with this status, without a body.
    #[error("The request could not be handled.")]
    Refused(StatusCode),
    /// The database cannot be reached.
    #[error("the server is not ready")]
    NotReady(#[source] StoreError),
    /// The server is about to stop.
    #[error("the server is about to stop")]
    Draining,
    /// The response took too long.
    #[error("the request timed out")]
    TimedOut,
    /// The database failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A list could not be written as CSV.
    #[error("the CSV failed")]
    Csv(#[from] csv::Error),
    /// The random source failed.
    #[error("the random source failed")]
    Random(#[source] std::io::Error),
    /// The agent failed.
    #[error("the agent failed")]
    Agent(#[from] crate::AgentError),
    /// A handler panicked.
    #[error("panic: {0}")]
    Panic(String),
}

impl Error {
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }

    /// Returns the status and the stable `reason` of the error's response.
    #[must_use]
    pub fn outward(&self) -> (StatusCode, &'static str) {
        match self {
            Self::RouteNotFound => (StatusCode::NOT_FOUND, "route_not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::AppNotFound => (StatusCode::NOT_FOUND, "app_not_found"),
            Self::AppTypeNotSupported => (StatusCode::BAD_REQUEST, "app_type_not_supported"),
            Self::AppTypeFixed => (StatusCode::CONFLICT, "app_type_fixed"),
            Self::AnonymousNotAllowed => (StatusCode::UNAUTHORIZED, "anonymous_not_allowed"),
            Self::OriginNotAllowed => (StatusCode::FORBIDDEN, "origin_not_allowed"),
            Self::PowDisabled => (StatusCode::NOT_FOUND, "pow_disabled"),
            Self::PowAppRequired => (StatusCode::BAD_REQUEST, "pow_app_required"),
            Self::ChallengesBusy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "challenges_busy"),
            Self::BodiesBusy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "bodies_busy"),
            Self::Pow(refusal) => (StatusCode::BAD_REQUEST, refusal.reason()),
            Self::AppIdMissing => (StatusCode::UNAUTHORIZED, "app_id_missing"),
            Self::TokenMissing => (StatusCode::UNAUTHORIZED, "token_missing"),
            Self::TokenInvalid => (StatusCode::UNAUTHORIZED, "token_invalid"),
            Self::TooManyReports { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_reports"),
            Self::UserTokenInvalid(_) => (StatusCode::UNAUTHORIZED, "user_token_invalid"),
            Self::UserKeyExists => (StatusCode::CONFLICT, "user_key_exists"),
            Self::UserKeysFull => (StatusCode::CONFLICT, "user_keys_full"),
            Self::UserKeyNotFound => (StatusCode::NOT_FOUND, "user_key_not_found"),
            Self::UserKeyInvalid(_) => (StatusCode::BAD_REQUEST, "user_key_invalid"),
            Self::TokenAppMismatch => (StatusCode::UNAUTHORIZED, "token_app_mismatch"),
            Self::ApiKeyInvalid => (StatusCode::UNAUTHORIZED, "api_key_invalid"),
            Self::ApiKeyExpired => (StatusCode::UNAUTHORIZED, "api_key_expired"),
            Self::ApiKeyNotFound => (StatusCode::NOT_FOUND, "api_key_not_found"),
            Self::ConversationNotFound => (StatusCode::NOT_FOUND, "conversation_not_found"),
            Self::ConversationFull => (StatusCode::CONFLICT, "conversation_full"),
            Self::ManagementKey => (StatusCode::UNAUTHORIZED, "management_key_invalid"),
            Self::ManagementKeyReadOnly => (StatusCode::FORBIDDEN, "management_key_read_only"),
            Self::AgentNotFound => (StatusCode::NOT_FOUND, "agent_not_found"),
            Self::BodyMalformed(_) => (StatusCode::BAD_REQUEST, "body_malformed"),
            Self::BodyNotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body_not_json"),
            Self::BodyTimedOut => (StatusCode::REQUEST_TIMEOUT, "body_timed_out"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::Field { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "field_invalid"),
            Self::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::QuotaExceeded { .. } => (StatusCode::TOO_MANY_REQUESTS, "quota_exceeded"),
            Self::Refused(status) => (*status, "refused"),
            Self::NotReady(_) | Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed_out"),
            Self::Agent(_) => (StatusCode::BAD_GATEWAY, "agent_failed"),
            Self::Store(error) if error.is_passing() => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::Store(_) | Self::Csv(_) | Self::Random(_) | Self::Panic(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        }
    }

    /// Returns the error for a response that a layer created without a body, by its status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::RouteNotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::TimedOut,
            status => Self::Refused(status),
        }
    }

    /// Returns the error for a panic, with its message.
    pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Self::Panic(text.to_owned())
    }

    /// The message for a client whose response fails after its status was sent.
    pub(crate) const UNFINISHED: &str = "The response failed before its end. Send the message again.";

    pub(crate) fn log(&self) {
        let mut causes = String::new();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            causes.push_str(if causes.is_empty() { "" } else { ": " });
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(causes, "{self}");
    }
}

impl IntoResponse for Error {
    /// Returns the status, with the error as an extension: `http::problem` writes the body, since it knows the request's id.
    fn into_response(self) -> Response {
        let (status, _) = self.outward();
        // A server that is about to stop has not failed, and one that refuses large bodies must not fill its log.
        if status.is_server_error() && !matches!(self, Self::Draining | Self::BodiesBusy { .. }) {
            self.log();
        }
        let mut response = status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
