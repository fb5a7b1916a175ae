use super::body::JsonBody;
use super::end_user::EndUser;
use super::problem::Problem;
use crate::{AppState, Error, Message, Reply, Role};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use tracing::Span;
use utoipa::ToSchema;

const CONVERSATION_ID: HeaderName = HeaderName::from_static("x-conversation-id");

/// What the visitor says, after what was said before.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatRequest {
    /// The conversation so far; the last message is the visitor's.
    #[schema(min_items = 1)]
    messages: Vec<Message>,
    /// The conversation that this goes on; without it a new one begins.
    conversation_id: Option<String>,
    /// Whether the answer comes as a stream of events, as it is written: true by default.
    stream: Option<bool>,
}

/// The answer in one piece.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatAnswer {
    id: String,
    conversation_id: String,
    choices: [Choice; 1],
}

#[derive(Serialize, ToSchema)]
struct Choice {
    index: u32,
    message: Message,
    #[schema(example = "stop")]
    finish_reason: &'static str,
}

/// One event of the stream.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum ChatEvent {
    TextStart { id: String },
    TextDelta { id: String, delta: String },
    TextEnd { id: String },
    Error { error_text: &'static str },
}

/// Answers in a chat.
#[utoipa::path(
    post,
    path = "/api/chat",
    tag = "run",
    security(("session" = [])),
    params(("X-Inkeep-App-Id" = String, Header, description = "The app's id")),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "Events `text-start`, `text-delta`, `text-end`, then `[DONE]`; or, with `\"stream\": false`, one JSON",
            content((String = "text/event-stream"), (ChatAnswer = "application/json")),
            headers(("x-conversation-id" = String, description = "The conversation's id"))),
        (status = 401, description = "The token is missing, wrong, over, or another app's", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "The page's origin is not allowed", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A member is wrong; `field` names it", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn chat(
    State(state): State<AppState>,
    user: EndUser,
    JsonBody(request): JsonBody<ChatRequest>,
) -> Result<Response, Error> {
    tracing::debug!(user = user.claims.sub, app = user.app.id, "chat");
    if request.messages.last().is_none_or(|message| message.role != Role::User) {
        return Err(Error::field("messages", "must end with a message whose role is `user`"));
    }
    let conversation_id = match request.conversation_id {
        Some(id) => conversation_id(id)?,
        None => format!("conv_{}", state.random.uuid().map_err(Error::Random)?),
    };
    let id = format!("msg_{}", state.random.uuid().map_err(Error::Random)?);
    let agent = state.agents.find(user.app.default_agent_id.as_deref()).ok_or(Error::AgentNotFound)?;
    let reply = agent.reply(request.messages);
    let header = [(CONVERSATION_ID, conversation_id.clone())];

    if request.stream.unwrap_or(true) {
        // `x-accel-buffering` keeps nginx from collecting the events.
        let headers = [("x-vercel-ai-data-stream", "v2"), ("x-accel-buffering", "no")];
        return Ok(
            (header, headers, Sse::new(events(id, reply)).keep_alive(KeepAlive::new())).into_response()
        );
    }
    let message = Message { role: Role::Assistant, content: reply.try_collect().await? };
    let choices = [Choice { index: 0, message, finish_reason: "stop" }];
    Ok((header, Json(ChatAnswer { id, conversation_id, choices })).into_response())
}

fn events(id: String, reply: Reply) -> impl Stream<Item = Result<Event, Infallible>> {
    // The stream is written after the handler has returned: its log lines belong to the request all the same.
    let span = Span::current();
    let start = ChatEvent::TextStart { id: id.clone() };
    let end = ChatEvent::TextEnd { id: id.clone() };
    let deltas = reply.map(move |piece| match piece {
        Ok(delta) => ChatEvent::TextDelta { id: id.clone(), delta },
        Err(error) => {
            span.in_scope(|| tracing::error!(%error, "the agent failed in its answer"));
            ChatEvent::Error { error_text: "The answer could not be finished." }
        }
    });
    let events = stream::iter([start]).chain(deltas).chain(stream::iter([end]));
    let events =
        events.map(|event| Event::default().json_data(event).expect("an event of texts is always JSON"));
    events.chain(stream::iter([Event::default().data("[DONE]")])).map(Ok)
}

/// An id that a client chose, or got from us before.
fn conversation_id(id: String) -> Result<String, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=128).contains(&id.len()) && id.bytes().all(is_plain) {
        Ok(id)
    } else {
        Err(Error::field("conversationId", "must have 1 to 128 of A-Z, a-z, 0-9, `-` and `_`"))
    }
}
