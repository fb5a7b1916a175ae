//! The data of visitors, for the visitors and for the operator: deletes a conversation, exports and erases a visitor.

use super::auth::Caller;
use super::conversations::ExportedConversation;
use super::message_stream;
use super::project::{ProjectParameters, ProjectPath, app_of};
use crate::conversations::Visitor;
use crate::store::PageRequest;
use crate::widget_events::{Feedback, WidgetEvent};
use crate::{AppState, Error, StoreError};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The number of conversations of one read of the database.
const BATCH: u32 = 200;

/// The number of events, or of entries of feedback, of one read. They stay in memory until the client has read them.
const REPORTS: u32 = 8;

/// Everything that is stored of a visitor.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `export` writes")]
pub(super) struct VisitorExport<'a> {
    /// The time when the export began.
    #[schema(value_type = String, format = DateTime)]
    exported_at: Timestamp,
    /// The id of the app or the API key.
    client_id: String,
    /// The visitor's id: `sub` of the token.
    visitor_id: String,
    /// The conversations, in the order of their ids, each with all its messages.
    conversations: Vec<ExportedConversation<'a>>,
    /// The feedback on the conversations.
    feedback: Vec<Feedback>,
    /// The events, in the order of their ids.
    events: Vec<WidgetEvent>,
}

/// The number of erased entries.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Erased {
    data: ErasedData,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ErasedData {
    /// The number of deleted conversations. Their feedback is deleted too.
    conversations: u64,
    /// The number of deleted events.
    events: u64,
}

/// Deletes one of the caller's conversations.
#[utoipa::path(
    delete,
    path = "/run/v1/conversations/{id}",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(
        ("id" = String, Path, description = "The conversation's id"),
        ("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session"),
    ),
    responses(
        (status = 204, description = "The conversation is deleted"),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist, or the caller has no such conversation"),
    )
)]
pub(super) async fn delete_conversation(
    State(state): State<AppState>,
    Caller { visitor, .. }: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Error> {
    let deleted = state.store.delete_conversation(&visitor.client_id, Some(&visitor.user_id), &id).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Error::ConversationNotFound) }
}

/// Returns everything that is stored of the caller.
#[utoipa::path(
    get,
    path = "/run/v1/visitor",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session")),
    responses(
        (status = 200, description = "The export", body = VisitorExport<'_>),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist"),
    )
)]
pub(super) async fn export_own_data(
    State(state): State<AppState>,
    Caller { visitor, .. }: Caller,
) -> Result<Response, Error> {
    export(state, visitor).await
}

/// Erases the caller's conversations, events and feedback. The token remains valid.
#[utoipa::path(
    delete,
    path = "/run/v1/visitor",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session")),
    responses(
        (status = 200, description = "The number of erased entries", body = Erased),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist"),
    )
)]
pub(super) async fn erase_own_data(
    State(state): State<AppState>,
    Caller { visitor, .. }: Caller,
) -> Result<Json<Erased>, Error> {
    erase(&state, &visitor).await
}

/// Deletes a conversation of an app.
#[utoipa::path(
    delete,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/conversations/{id}",
    tag = "visitors",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ("appId" = String, Path, description = "The app's id"),
        ("id" = String, Path, description = "The conversation's id"),
    ),
    responses(
        (status = 204, description = "The conversation is deleted"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app, or the app has no such conversation"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn delete_conversation_of_app(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, app_id, id)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Error> {
    app_of(&state, &owner, &app_id).await?;
    let deleted = state.store.delete_conversation(&app_id, None, &id).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Error::ConversationNotFound) }
}

/// Returns everything that is stored of a visitor of an app.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/visitors/{visitorId}",
    tag = "visitors",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ("appId" = String, Path, description = "The app's id"),
        ("visitorId" = String, Path, description = "The visitor's id: `sub` of the token"),
    ),
    responses(
        (status = 200, description = "The export; a visitor of whom nothing is stored has no conversations",
            body = VisitorExport<'_>),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn export_visitor(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, client_id, user_id)): Path<(String, String, String, String)>,
) -> Result<Response, Error> {
    app_of(&state, &owner, &client_id).await?;
    export(state, Visitor { client_id, user_id }).await
}

/// Erases the conversations, events and feedback of a visitor of an app. The audit log keeps the id in the path of this call,
/// and a revocation of the visitor's sessions keeps it as long as it is effective.
#[utoipa::path(
    delete,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/visitors/{visitorId}",
    tag = "visitors",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ("appId" = String, Path, description = "The app's id"),
        ("visitorId" = String, Path, description = "The visitor's id: `sub` of the token"),
    ),
    responses(
        (status = 200, description = "The number of erased entries", body = Erased),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn erase_visitor(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, client_id, user_id)): Path<(String, String, String, String)>,
) -> Result<Json<Erased>, Error> {
    app_of(&state, &owner, &client_id).await?;
    erase(&state, &Visitor { client_id, user_id }).await
}

async fn erase(state: &AppState, visitor: &Visitor) -> Result<Json<Erased>, Error> {
    state.store.note_erasure(visitor, state.clock.now()).await?;
    let conversations = state.store.delete_conversations_of_visitor(visitor).await?;
    // The events of the conversations were deleted with them.
    let events = state.store.delete_events_of_visitor(visitor).await?;
    tracing::info!(visitor = visitor.user_id, app = visitor.client_id, conversations, "erased a visitor");
    Ok(Json(Erased { data: ErasedData { conversations, events } }))
}

/// Writes the export conversation by conversation, so that its size needs no memory. If the database fails after the
/// start, the connection is closed before the JSON is complete.
async fn export(state: AppState, visitor: Visitor) -> Result<Response, Error> {
    let text = |text: &str| serde_json::Value::from(text);
    let start = format!(
        "{{\"exportedAt\":{},\"clientId\":{},\"visitorId\":{},\"conversations\":[",
        text(&state.clock.now().to_string()),
        text(&visitor.client_id),
        text(&visitor.user_id)
    );
    let mut conversations = conversations(state.clone(), visitor.clone());
    // If the database fails at the start, the client can read the error.
    // The first two parts are the start of the first conversation and its first messages.
    let mut first = Vec::new();
    for _ in 0..2 {
        first.extend(conversations.next().await.transpose()?.map(Ok));
    }
    let conversations = stream::iter(first).chain(conversations).boxed();
    let literal = |text: String| stream::iter([Ok::<_, Error>(Bytes::from(text))]);
    let pieces = literal(start)
        .chain(conversations)
        .chain(literal("],\"feedback\":[".to_owned()))
        .chain(separated(feedback(state.clone(), visitor.clone())))
        .chain(literal("],\"events\":[".to_owned()))
        .chain(separated(events(state, visitor)))
        .chain(literal("]}".to_owned()));
    let body = Body::from_stream(pieces.inspect(|piece| {
        if let Err(error) = piece {
            Error::log(error);
        }
    }));
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// Puts a comma between the values of an array.
fn separated(
    values: BoxStream<'static, Result<Vec<u8>, Error>>,
) -> impl futures_util::Stream<Item = Result<Bytes, Error>> {
    values.enumerate().map(|(index, value)| {
        value.map(|json| Bytes::from([if index == 0 { &b""[..] } else { &b","[..] }, &json].concat()))
    })
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and times are always JSON")
}

/// Returns the JSON of each event of a visitor.
fn events(state: AppState, visitor: Visitor) -> BoxStream<'static, Result<Vec<u8>, Error>> {
    let read = move |after: String| {
        let (state, visitor) = (state.clone(), visitor.clone());
        async move { state.store.events_after(&visitor, &after, REPORTS).await }
    };
    in_batches(String::new(), read, |event| event.id.clone()).map_ok(|event| json(&event)).boxed()
}

/// Returns the JSON of each feedback on the conversations of a visitor.
fn feedback(state: AppState, visitor: Visitor) -> BoxStream<'static, Result<Vec<u8>, Error>> {
    let read = move |(conversation_id, message_id): (String, String)| {
        let (state, visitor) = (state.clone(), visitor.clone());
        async move { state.store.feedback_after(&visitor, (&conversation_id, &message_id), REPORTS).await }
    };
    let place = |feedback: &Feedback| {
        (feedback.conversation_id.clone(), feedback.message_id.clone().unwrap_or_default())
    };
    in_batches((String::new(), String::new()), read, place).map_ok(|feedback| json(&feedback)).boxed()
}

/// Returns the JSON of the conversations of a visitor, with commas between them. A client that does not read it keeps one
/// part of a conversation in memory.
fn conversations(state: AppState, visitor: Visitor) -> BoxStream<'static, Result<Bytes, Error>> {
    let store = state.store.clone();
    let client_id = visitor.client_id.clone();
    let read = move |after: String| {
        let (state, visitor) = (state.clone(), visitor.clone());
        async move { state.store.conversations_after(&visitor, &after, BATCH).await }
    };
    in_batches(String::new(), read, |conversation| conversation.id.clone())
        .enumerate()
        .map(|(index, conversation)| conversation.map(|conversation| (index, conversation)))
        .and_then(move |(index, conversation)| {
            let (store, client_id) = (store.clone(), client_id.clone());
            async move {
                let every = PageRequest { page: 1, limit: u32::MAX };
                let batches =
                    message_stream::in_time(store.message_batches(&client_id, &conversation.id, every));
                let batches = batches.await?;
                let conversation_id = conversation.id.clone();
                let json = json(&ExportedConversation::without_messages(conversation));
                // The messages are its last member.
                let (before, after) = json.split_at(json.len() - b"]}".len());
                let comma = if index == 0 { &b""[..] } else { b"," };
                let before = Bytes::from([comma, before].concat());
                let after = Bytes::copy_from_slice(after);
                let messages = message_stream::parts(store, client_id, conversation_id, batches);
                let literal = |bytes| stream::iter([Ok(bytes)]);
                Ok(literal(before).chain(messages.err_into()).chain(literal(after)))
            }
        })
        .try_flatten()
        .boxed()
}

/// Returns the rows that `read` returns in batches. The argument of `read` is the position of the last row of the batch
/// before.
fn in_batches<T, P, F>(
    start: P,
    mut read: impl FnMut(P) -> F + Send + 'static,
    place_of: fn(&T) -> P,
) -> BoxStream<'static, Result<T, Error>>
where
    T: Send + 'static,
    P: Send + 'static,
    F: Future<Output = Result<Vec<T>, StoreError>> + Send + 'static,
{
    stream::try_unfold(start, move |after| {
        let batch = read(after);
        async move {
            let batch = message_stream::in_time(batch).await?;
            let place = batch.last().map(place_of);
            Ok::<_, Error>(place.map(|place| (stream::iter(batch.into_iter().map(Ok)), place)))
        }
    })
    .try_flatten()
    .boxed()
}
