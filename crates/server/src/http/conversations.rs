use super::auth::Caller;
use super::list::{MessagesParameters, MessagesQuery, Pagination, RunListParameters, RunListQuery};
use super::message_stream;
use crate::conversations::{Conversation, KeptMessage};
use crate::{AppState, Error, Role};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of the caller's conversations.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationList {
    data: Vec<Conversation>,
    pagination: Pagination,
}

/// A conversation and a page of its messages.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `read_conversation` writes")]
pub(super) struct ConversationResponse<'a> {
    data: ConversationWithMessages<'a>,
    /// Pages of messages: the first one has the newest.
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
struct ConversationWithMessages<'a> {
    #[serde(flatten)]
    conversation: Conversation,
    /// The messages of the page, the oldest first.
    messages: Vec<StoredMessage<'a>>,
}

/// A conversation of an export, with all its messages.
#[derive(Serialize, ToSchema)]
pub(super) struct ExportedConversation<'a>(ConversationWithMessages<'a>);

impl ExportedConversation<'_> {
    /// The conversation, for messages that are written by themselves.
    pub(super) fn without_messages(conversation: Conversation) -> Self {
        Self(ConversationWithMessages { conversation, messages: Vec::new() })
    }
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredMessage<'a> {
    id: &'a str,
    /// The role of the author.
    role: Role,
    /// The text.
    content: &'a str,
    /// The same as `content`, in the form that widgets read.
    parts: [TextPart<'a>; 1],
    /// The time when the message was stored.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
struct TextPart<'a> {
    #[schema(example = "text")]
    r#type: &'static str,
    text: &'a str,
}

impl<'a> From<&'a KeptMessage> for StoredMessage<'a> {
    fn from(KeptMessage { id, role, content, created_at }: &'a KeptMessage) -> Self {
        let parts = [TextPart { r#type: "text", text: content }];
        Self { id, role: *role, content, parts, created_at: *created_at }
    }
}

/// Lists the caller's conversations, the newest first.
#[utoipa::path(
    get,
    path = "/run/v1/conversations",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
        RunListParameters,
    ),
    responses(
        (status = 200, description = "A page of conversations", body = ConversationList),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_conversations(
    State(state): State<AppState>,
    caller: Caller,
    query: RunListQuery,
) -> Result<impl IntoResponse, Error> {
    let page = state.store.list_conversations(&caller.visitor, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    let list = ConversationList { data: page.items, pagination };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(list)))
}

/// Returns one of the caller's conversations, with a page of its messages.
#[utoipa::path(
    get,
    path = "/run/v1/conversations/{id}",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("id" = String, Path, description = "The conversation's id"),
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
        MessagesParameters,
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationResponse<'_>),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist, or the caller has no such conversation"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn read_conversation(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    query: MessagesQuery,
) -> Result<Response, Error> {
    let client_id = &caller.visitor.client_id;
    let conversation = state.store.find_conversation(client_id, &id).await?;
    let conversation = conversation
        .filter(|conversation| conversation.user_id == caller.visitor.user_id)
        .ok_or(Error::ConversationNotFound)?;
    let batches = state.store.message_batches(client_id, &id, query.page).await?;
    let pagination = json(&Pagination::of_total(query.page, conversation.message_count));
    let conversation = json(&conversation);
    // The messages are a member of the conversation.
    let members = conversation.strip_suffix('}').unwrap_or(&conversation);
    let around =
        [format!("{{\"data\":{members},\"messages\":["), format!("]}},\"pagination\":{pagination}}}")];
    let body = message_stream::body(&state.store, client_id, &id, batches, around).await?;
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, "application/json")];
    Ok((headers, body).into_response())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON")
}
