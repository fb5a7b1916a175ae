use super::auth::Caller;
use super::body::JsonBody;
use super::events::{MAX_ID_CHARACTERS, REPORT_OVERHEAD, cut_data, optional_id};
use super::validation::text;
use crate::store::FeedbackOutcome;
use crate::widget_events::{Feedback, FeedbackType};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Bytes of JSON of the details at most, after long texts were cut.
const MAX_DETAILS_BYTES: usize = 16 * 1024;

/// Feedback on a response of the agent. Members that the server does not know are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFeedback {
    /// One of the caller's conversations.
    #[schema(min_length = 1, max_length = 128)]
    conversation_id: String,
    /// The message, at most 128 characters; if absent, the feedback is on the whole conversation.
    #[schema(max_length = 128)]
    message_id: Option<String>,
    /// Thumbs up, or down.
    r#type: FeedbackType,
    /// Details from the visitor. Texts over 4000 characters are cut, and the remaining JSON has at most 16 KiB.
    #[schema(value_type = Option<serde_json::Value>)]
    details: Option<Box<RawValue>>,
}

/// The feedback as it is stored.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedbackResponse {
    data: FeedbackSummary,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FeedbackSummary {
    id: String,
    conversation_id: String,
    message_id: Option<String>,
    r#type: FeedbackType,
    #[schema(value_type = Option<serde_json::Value>)]
    details: Option<Box<RawValue>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Feedback> for FeedbackResponse {
    fn from(feedback: Feedback) -> Self {
        let Feedback { id, conversation_id, message_id, r#type, details, created_at, updated_at, .. } =
            feedback;
        let data =
            FeedbackSummary { id, conversation_id, message_id, r#type, details, created_at, updated_at };
        Self { data }
    }
}

/// Stores a visitor's feedback on an answer, for the operator. It replaces earlier feedback of the same visitor on the
/// same message.
#[utoipa::path(
    post,
    path = "/run/v1/feedback",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session")),
    request_body = NewFeedback,
    responses(
        (status = 201, description = "The stored feedback", body = FeedbackResponse),
        (status = 400, description = "The body is not JSON"),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist, or the caller has no such conversation"),
        (status = 422, description = "A member is invalid; `field` names it"),
        (status = 429, description = "The conversation has feedback on 1000 messages, or a quota is used up"),
    )
)]
pub(super) async fn give_feedback(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(new): JsonBody<NewFeedback>,
) -> Result<impl IntoResponse, Error> {
    let details = new.details.map(|details| cut_data("details", &details, MAX_DETAILS_BYTES)).transpose()?;
    let bytes = details.as_ref().map_or(0, |details| details.get().len());
    let now = state.clock.now();
    let feedback = Feedback {
        id: format!("fb_{}", state.random.uuid().map_err(Error::Random)?),
        client_id: caller.visitor.client_id.clone(),
        user_id: caller.visitor.user_id.clone(),
        conversation_id: text("conversationId", new.conversation_id, MAX_ID_CHARACTERS)?,
        message_id: optional_id("messageId", new.message_id)?,
        r#type: new.r#type,
        details,
        created_at: now,
        updated_at: now,
    };
    caller.take_stored_bytes(&state, bytes + REPORT_OVERHEAD).await?;
    match state.store.set_feedback(&feedback).await? {
        FeedbackOutcome::Stored(feedback) => {
            let body = Json(FeedbackResponse::from(feedback));
            Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], body))
        }
        FeedbackOutcome::NoConversation => Err(Error::ConversationNotFound),
        FeedbackOutcome::TooMany => Err(Error::TooManyReports { retry_after_seconds: None }),
    }
}
