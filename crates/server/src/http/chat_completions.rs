use super::auth::Caller;
use super::body::JsonBody;
use super::chat::{Choice, StreamEvent, json, until_error};
use super::messages::{self, MessageInput};
use super::reply::{Answer, CONVERSATION_ID, Question, UNBUFFERED};
use crate::{AppState, Error, Role};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::ToSchema;

/// A request in the format of OpenAI's chat completions.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompletionRequest {
    /// Repeated in the response. The app's agent replies, whatever the value is.
    model: Option<String>,
    /// The messages of the conversation; the last one is the visitor's. If the server already has the conversation,
    /// only the last message is new.
    #[schema(min_items = 1, max_items = 999)]
    messages: Vec<MessageInput>,
    /// Whether the response is a stream of chunks, sent while the agent writes (default `true`).
    stream: Option<bool>,
    /// The conversation to continue, or the id of a new one; if absent, the server generates an id.
    #[schema(max_length = 128, pattern = "^[A-Za-z0-9_-]*$")]
    conversation_id: Option<String>,
}

/// A complete response.
#[derive(Serialize, ToSchema)]
pub(super) struct Completion {
    #[serde(flatten)]
    about: About,
    choices: [Choice; 1],
}

/// The JSON in the `data` of an event of `POST /run/v1/chat/completions`: a part of the reply.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Chunk {
    #[serde(flatten)]
    about: About,
    choices: [ChunkChoice; 1],
}

/// Members that a complete response and a chunk share.
#[derive(Clone, Serialize, ToSchema)]
struct About {
    id: String,
    /// `chat.completion`, or `chat.completion.chunk`.
    object: &'static str,
    /// The time when the response began, in Unix seconds.
    created: u64,
    model: String,
    #[serde(rename = "conversationId")]
    conversation_id: String,
}

#[derive(Clone, Serialize, ToSchema)]
struct ChunkChoice {
    index: u32,
    delta: Delta,
    /// `stop` in the last chunk.
    finish_reason: Option<&'static str>,
}

#[derive(Clone, Default, Serialize, ToSchema)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Replies in a chat, in the format of OpenAI's chat completions.
///
/// The first message of a conversation is stored at once, a later one with its reply: before `[DONE]`, or the JSON object, is
/// sent.
#[utoipa::path(
    post,
    path = "/run/v1/chat/completions",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
        ("X-Inkeep-Challenge-Solution" = Option<String>, Header,
            description = "The solution of a fresh challenge; required with a session if `SALTMINE_POW_SCOPE` is `request`"),
    ),
    request_body = CompletionRequest,
    responses(
        (status = 200, description = "Chunks, then `[DONE]`; or, with `\"stream\": false`, one JSON object",
            content((StreamEvent = "text/event-stream"), (Completion = "application/json")),
            headers(("x-conversation-id" = String, description = "The conversation's id"))),
        (status = 400, description = "The body is not JSON, or the proof of work is missing, invalid, expired or already used"),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app, the agent or the conversation does not exist"),
        (status = 409, description = "The conversation is full: it has 1000 messages, or 2 MiB"),
        (status = 422, description = "A member is invalid; `field` names it"),
        (status = 429, description = "A quota is used up",
            headers(("retry-after" = u64, description = "Seconds until the next request is accepted"))),
        (status = 503, description = "Other large bodies take the memory for them",
            headers(("retry-after" = u64, description = "Seconds until the next request is accepted"))),
    )
)]
pub(super) async fn complete_chat(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(request): JsonBody<CompletionRequest>,
) -> Result<Response, Error> {
    let messages = messages::read(request.messages, caller.is_visitor())?;
    let question = Question { messages, conversation_id: request.conversation_id };
    let answer = Answer::begin(&state, caller, &headers, question).await?;
    let mut about = About {
        id: answer.id.clone(),
        object: "chat.completion.chunk",
        created: state.clock.now_seconds(),
        model: request.model.unwrap_or_default(),
        conversation_id: answer.conversation_id.clone(),
    };
    let header = [(CONVERSATION_ID, answer.conversation_id.clone())];
    if request.stream.unwrap_or(true) {
        let chunks = Sse::new(chunks(about, answer.pieces())).keep_alive(KeepAlive::new());
        return Ok((header, [UNBUFFERED], chunks).into_response());
    }
    about.object = "chat.completion";
    let choices = Choice::only(answer.whole().await?);
    Ok((header, Json(Completion { about, choices })).into_response())
}

fn chunks(
    about: About,
    pieces: impl Stream<Item = Result<String, Arc<Error>>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let chunk = move |delta, finish_reason| {
        json(&Chunk { about: about.clone(), choices: [ChunkChoice { index: 0, delta, finish_reason }] })
    };
    let first = chunk(Delta { role: Some(Role::Assistant), content: Some(String::new()) }, None);
    let last = chunk(Delta::default(), Some("stop"));
    // A failure is the last event before `[DONE]`: no chunk then marks the response as complete.
    let deltas = pieces.map(move |piece| match piece {
        Ok(content) => (true, chunk(Delta { content: Some(content), ..Delta::default() }, None)),
        Err(error) => {
            error.log();
            let failure = serde_json::json!({
                "error": { "message": Error::UNFINISHED, "type": "server_error", "code": error.outward().1 },
            });
            (false, json(&failure))
        }
    });
    let deltas = until_error(deltas.chain(stream::iter([(true, last)])));
    stream::iter([first]).chain(deltas).chain(stream::iter([Event::default().data("[DONE]")])).map(Ok)
}
