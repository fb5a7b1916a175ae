use super::auth::Caller;
use super::body::JsonBody;
use super::messages::{self, MessageInput};
use super::reply::{Answer, CONVERSATION_ID, Question, UNBUFFERED};
use crate::{AppState, Error, Message};
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

/// A chat request.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatRequest {
    /// The messages of the conversation; the last one is the visitor's. If the server already has the conversation,
    /// only the last message is new.
    #[schema(min_items = 1, max_items = 999)]
    messages: Vec<MessageInput>,
    /// The conversation to continue, or the id of a new one; if absent, the server generates an id.
    #[schema(max_length = 128, pattern = "^[A-Za-z0-9_-]*$")]
    conversation_id: Option<String>,
    /// Whether the response is a stream of events, sent while the agent writes (default `true`).
    stream: Option<bool>,
}

/// A complete response.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatAnswer {
    id: String,
    conversation_id: String,
    choices: [Choice; 1],
}

#[derive(Serialize, ToSchema)]
pub(super) struct Choice {
    index: u32,
    message: Message,
    #[schema(example = "stop")]
    finish_reason: &'static str,
}

impl Choice {
    /// The only choice of a response.
    pub(super) fn only(message: Message) -> [Self; 1] {
        [Self { index: 0, message, finish_reason: "stop" }]
    }
}

/// One event of a stream, as it is sent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what the events' type writes")]
pub(super) struct StreamEvent {
    /// The JSON of an event, or `[DONE]` in the last.
    data: String,
}

/// The JSON in the `data` of an event of `POST /run/api/chat`.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum ChatEvent {
    Start { message_id: String },
    TextStart { id: String },
    TextDelta { id: String, delta: String },
    TextEnd { id: String },
    Finish,
    Error { error_text: &'static str },
}

/// Replies in a chat.
///
/// The first message of a conversation is stored at once, a later one with its reply: before the last event, or the JSON
/// object, is sent.
#[utoipa::path(
    post,
    path = "/run/api/chat",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
        ("X-Inkeep-Challenge-Solution" = Option<String>, Header,
            description = "The solution of a fresh challenge; required with a session if `SALTMINE_POW_SCOPE` is `request`"),
    ),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "Events `start`, `text-start`, `text-delta`, `text-end`, `finish`, then `[DONE]`, or `error` as the last one; or, with `\"stream\": false`, one JSON object",
            content((StreamEvent = "text/event-stream"), (ChatAnswer = "application/json")),
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
pub(super) async fn chat(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(request): JsonBody<ChatRequest>,
) -> Result<Response, Error> {
    let messages = messages::read(request.messages, caller.is_visitor())?;
    let question = Question { messages, conversation_id: request.conversation_id };
    let answer = Answer::begin(&state, caller, &headers, question).await?;
    let (id, conversation_id) = (answer.id.clone(), answer.conversation_id.clone());
    let header = [(CONVERSATION_ID, conversation_id.clone())];
    if request.stream.unwrap_or(true) {
        let headers = [("x-vercel-ai-data-stream", "v2"), UNBUFFERED];
        let events = Sse::new(events(id, answer.pieces())).keep_alive(KeepAlive::new());
        return Ok((header, headers, events).into_response());
    }
    let choices = Choice::only(answer.whole().await?);
    Ok((header, Json(ChatAnswer { id, conversation_id, choices })).into_response())
}

fn events(
    id: String,
    pieces: impl Stream<Item = Result<String, Arc<Error>>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = [ChatEvent::Start { message_id: id.clone() }, ChatEvent::TextStart { id: id.clone() }];
    let end = [ChatEvent::TextEnd { id: id.clone() }, ChatEvent::Finish];
    let deltas = pieces.map(move |piece| match piece {
        Ok(delta) => ChatEvent::TextDelta { id: id.clone(), delta },
        Err(error) => {
            error.log();
            ChatEvent::Error { error_text: Error::UNFINISHED }
        }
    });
    let events = stream::iter(start).chain(deltas).chain(stream::iter(end));
    // An error is the last event: no later event marks the response as complete.
    let events = events.map(|event| (!matches!(event, ChatEvent::Error { .. }), json(&event)));
    let done = stream::iter([(true, Event::default().data("[DONE]"))]);
    until_error(events.chain(done)).map(Ok)
}

/// Ends the stream after the first error.
pub(super) fn until_error(events: impl Stream<Item = (bool, Event)>) -> impl Stream<Item = Event> {
    events.scan(true, |is_complete, (is_good, event)| {
        let item = is_complete.then_some(event);
        *is_complete &= is_good;
        std::future::ready(item)
    })
}

pub(super) fn json(event: &impl Serialize) -> Event {
    Event::default().json_data(event).expect("an event of texts is always JSON")
}
