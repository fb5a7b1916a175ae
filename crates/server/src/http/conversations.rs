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

impl<'a> ExportedConversation<'a> {
    pub(super) fn new(conversation: Conversation, messages: &'a [KeptMessage]) -> Self {
        let messages = messages.iter().map(StoredMessage::from).collect();
        Self(ConversationWithMessages { conversation, messages })
    }
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredMessage<'a> {
    id: &'a str,
    /// Who said it.
    role: Role,
    /// What was said.
    content: &'a str,
    /// The same as `content`, as widgets read it.
    parts: [TextPart<'a>; 1],
    /// When it was stored.
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

/// The caller's conversations, the newest first.
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
        (status = 200, description = "A page of them", body = ConversationList),
        (status = 401, description = "The token or the API key is missing, wrong or over, or the token another app's"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "No such app"),
        (status = 422, description = "A parameter is wrong; `field` names it"),
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

/// One of the caller's conversations, with a page of its messages.
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
        (status = 401, description = "The token or the API key is missing, wrong or over, or the token another app's"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "No such app, or no such conversation of this caller"),
        (status = 422, description = "A parameter is wrong; `field` names it"),
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
    // The messages are one more member of the conversation.
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
