use super::auth::Caller;
use super::body::JsonBody;
use super::validation::text;
use crate::cut_json::{CutError, cut_texts};
use crate::store::EventOutcome;
use crate::widget_events::{EventData, WidgetEvent};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Characters of an id at most.
pub(super) const MAX_ID_CHARACTERS: usize = 128;

/// The bytes that an event or feedback takes in the database beside its data: its ids, its times, the indexes.
pub(super) const REPORT_OVERHEAD: usize = 1024;

/// Bytes of JSON of the data of an event at most, after long texts were cut.
const MAX_DATA_BYTES: usize = 64 * 1024;

/// An event of a widget. Members that the server does not know are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewEvent {
    /// The type, such as `user_message_submitted`, 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128)]
    r#type: String,
    /// An id that the client chose, at most 128 characters: an event that is sent again is stored once. An empty id is ignored.
    #[schema(max_length = 128)]
    id: Option<String>,
    /// The conversation, at most 128 characters. It need not exist yet; widgets send the first event before the first
    /// message. Without it `metadata.conversationId` is read.
    #[schema(max_length = 128)]
    conversation_id: Option<String>,
    /// The message, at most 128 characters.
    #[schema(max_length = 128)]
    message_id: Option<String>,
    /// Properties that the page's owner adds to every event. In each of the three objects, texts over 4000 characters are
    /// cut, and the remaining JSON has at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    properties: Option<Box<RawValue>>,
    /// Properties of the user, from the page's owner.
    #[schema(value_type = Option<Object>)]
    user_properties: Option<Box<RawValue>>,
    /// Properties of the event, from the widget.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
}

/// The event as it is stored.
#[derive(Serialize, ToSchema)]
pub(super) struct EventResponse {
    data: EventSummary,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventSummary {
    id: String,
    r#type: String,
    conversation_id: Option<String>,
    message_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<WidgetEvent> for EventResponse {
    fn from(event: WidgetEvent) -> Self {
        let WidgetEvent { id, r#type, conversation_id, message_id, created_at, .. } = event;
        Self { data: EventSummary { id, r#type, conversation_id, message_id, created_at } }
    }
}

/// Stores an event of a widget, for the operator.
#[utoipa::path(
    post,
    path = "/run/v1/events",
    tag = "run",
    security(("session" = []), ("apiKey" = [])),
    params(("X-Inkeep-App-Id" = Option<String>, Header, description = "The app's id; required with a session")),
    request_body = NewEvent,
    responses(
        (status = 200, description = "The same visitor sent an event with this id before; that event is unchanged", body = EventResponse),
        (status = 201, description = "The stored event", body = EventResponse),
        (status = 400, description = "The body is not JSON"),
        (status = 401, description = "The token or the API key is missing, invalid or expired, or the token is for another app"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist"),
        (status = 422, description = "A member is invalid; `field` names it"),
        (status = 429, description = "The visitor has sent 1000 events in 24 hours, or a quota is used up",
            headers(("retry-after" = u64, description = "Seconds until the next event is accepted"))),
    )
)]
pub(super) async fn report_event(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(new): JsonBody<NewEvent>,
) -> Result<impl IntoResponse, Error> {
    let mut bytes = 0;
    let data = EventData {
        properties: cut("properties", new.properties, &mut bytes)?,
        user_properties: cut("userProperties", new.user_properties, &mut bytes)?,
        metadata: cut("metadata", new.metadata, &mut bytes)?,
    };
    let in_metadata = |name: &str| optional_id(name, text_member(data.metadata.as_deref()?, name)).ok()?;
    let conversation_id =
        optional_id("conversationId", new.conversation_id.clone())?.or_else(|| in_metadata("conversationId"));
    let message_id = optional_id("messageId", new.message_id.clone())?.or_else(|| in_metadata("messageId"));
    let id = match optional_id("id", new.id)? {
        Some(id) => id,
        None => format!("evt_{}", state.random.uuid().map_err(Error::Random)?),
    };
    let is_limited = caller.is_visitor();
    let event = WidgetEvent {
        id,
        client_id: caller.visitor.client_id.clone(),
        user_id: caller.visitor.user_id.clone(),
        r#type: text("type", new.r#type, MAX_ID_CHARACTERS)?,
        conversation_id,
        message_id,
        data,
        created_at: state.clock.now(),
    };
    caller.take_stored_bytes(&state, bytes + REPORT_OVERHEAD).await?;
    let (status, event) = match state.store.add_event(&event, is_limited).await? {
        EventOutcome::Stored => (StatusCode::CREATED, event),
        EventOutcome::Known(event) => (StatusCode::OK, *event),
        EventOutcome::TooMany { next_at_milliseconds } => {
            let wait = next_at_milliseconds - state.clock.now().as_millisecond();
            let retry_after_seconds = u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1);
            return Err(Error::TooManyReports { retry_after_seconds: Some(retry_after_seconds) });
        }
        EventOutcome::ClientDeleted => return Err(Error::AppNotFound),
    };
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Json(EventResponse::from(event))))
}

/// An id that may be missing or empty.
pub(super) fn optional_id(field: &str, id: Option<String>) -> Result<Option<String>, Error> {
    let id = id.filter(|id| !id.trim().is_empty());
    id.map(|id| text(field, id, MAX_ID_CHARACTERS)).transpose()
}

/// Returns a text among the members of an object.
fn text_member(object: &RawValue, name: &str) -> Option<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(object.get()).ok()?;
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// Cuts the texts in the data of an event, and refuses it if it is still too long. Adds its length as JSON to `bytes`.
fn cut(field: &str, data: Option<Box<RawValue>>, bytes: &mut usize) -> Result<Option<Box<RawValue>>, Error> {
    let Some(data) = data else { return Ok(None) };
    if !data.get().starts_with('{') {
        return Err(Error::field(field, "must be an object"));
    }
    let data = cut_data(field, &data, MAX_DATA_BYTES)?;
    *bytes += data.get().len();
    Ok(Some(data))
}

/// Cuts the texts in data of a widget, and refuses it if it is still longer than `max_bytes`.
pub(super) fn cut_data(field: &str, data: &RawValue, max_bytes: usize) -> Result<Box<RawValue>, Error> {
    cut_texts(data, max_bytes).map_err(|error| match error {
        CutError::TooLong => Error::field(field, format!("must have at most {max_bytes} bytes of JSON")),
        CutError::Json(error) => Error::BodyMalformed(error.to_string()),
    })
}
