use super::auth::Caller;
use super::list::{ListParameters, ListQuery, Pagination};
use super::reply::MAX_MESSAGES;
use crate::conversations::{Conversation, KeptMessage};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of the caller's conversations.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationList {
    data: ConversationListData,
}

#[derive(Serialize, ToSchema)]
struct ConversationListData {
    conversations: Vec<Conversation>,
    pagination: Pagination,
}

/// A conversation and what was said in it.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationAnswer {
    data: ConversationWithMessages,
}

#[derive(Serialize, ToSchema)]
struct ConversationWithMessages {
    #[serde(flatten)]
    conversation: Conversation,
    /// The oldest first.
    messages: Vec<KeptMessage>,
}

/// The caller's conversations, the newest first.
#[utoipa::path(
    get,
    path = "/run/v1/conversations",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
        ListParameters,
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
    query: ListQuery,
) -> Result<impl IntoResponse, Error> {
    let page = state.store.list_conversations(&caller.visitor, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    let data = ConversationListData { conversations: page.items, pagination };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ConversationList { data })))
}

/// One of the caller's conversations, with its messages.
#[utoipa::path(
    get,
    path = "/run/v1/conversations/{id}",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("id" = String, Path, description = "The conversation's id"),
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationAnswer),
        (status = 401, description = "The token or the API key is missing, wrong or over, or the token another app's"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "No such app, or no such conversation of this caller"),
    )
)]
pub(super) async fn read_conversation(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Error> {
    let client_id = &caller.visitor.client_id;
    let conversation = state.store.find_conversation(client_id, &id).await?;
    let conversation = conversation
        .filter(|conversation| conversation.user_id == caller.visitor.user_id)
        .ok_or(Error::ConversationNotFound)?;
    let messages = state.store.last_messages(client_id, &id, MAX_MESSAGES as u32).await?;
    let data = ConversationWithMessages { conversation, messages };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ConversationAnswer { data })))
}
