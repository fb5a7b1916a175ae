//! Lists of events and feedback of widgets, for the operator, as JSON or as CSV.

use super::csv;
use super::list::{ListQuery, Pagination};
use super::project::{ProjectParameters, ProjectPath};
use crate::store::{Page, ReportFilter};
use crate::widget_events::{Feedback, FeedbackType, WidgetEvent};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

/// The query string of a list.
type ReportQuery = ListQuery<DEFAULT_LIMIT, MAX_LIMIT>;

const DEFAULT_LIMIT: u32 = 100;
/// The maximum length of a page. Visitors decide how long the entries are: 100 of the longest are 20 MB.
const MAX_LIMIT: u32 = 100;

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(super) struct EventList {
    data: Vec<WidgetEvent>,
    pagination: Pagination,
}

/// A page of feedback.
#[derive(Serialize, ToSchema)]
pub(super) struct FeedbackList {
    data: Vec<Feedback>,
    pagination: Pagination,
}

/// Describes the query string.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what `ReportQuery` reads")]
pub(super) struct ReportParameters {
    /// The page, from 1 (default 1).
    #[param(minimum = 1, maximum = 1_000_000)]
    page: Option<u32>,
    /// The number of entries on a page (default 100).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Only the entries of this app or API key.
    #[param(rename = "clientId")]
    client_id: Option<String>,
    /// The format of the response (default `json`).
    #[param(inline)]
    format: Option<Format>,
}

/// The format of a list.
#[derive(Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

/// Lists the events that the project's widgets reported, the newest first.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/events",
    tag = "reports",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ReportParameters,
        ("type" = Option<String>, Query, description = "Only events of this type"),
    ),
    responses(
        (status = 200, description = "A page of events; in CSV, a text of a visitor that a spreadsheet would take for \
            a formula begins with an apostrophe", content((EventList = "application/json"), (String = "text/csv")),
            headers(("x-total-count" = Option<u64>, description = "With CSV: the number of events on all pages"))),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_events(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    query: ReportQuery,
) -> Result<Response, Error> {
    let format = format(&query)?;
    let filter = filter(&query)?;
    let page = state.store.list_events(&owner, filter, query.page).await?;
    if format == Format::Json {
        let pagination = Pagination::of(query.page, &page);
        let list = EventList { data: page.items, pagination };
        return Ok(([(header::CACHE_CONTROL, "no-store")], Json(list)).into_response());
    }
    let Page { items, total } = page;
    let names = [
        "id",
        "clientId",
        "userId",
        "type",
        "conversationId",
        "messageId",
        "properties",
        "userProperties",
        "metadata",
        "createdAt",
    ];
    let json = |members: Option<Box<RawValue>>| members.map_or_else(String::new, |all| all.get().to_owned());
    let rows = items.into_iter().map(|event| {
        [
            event.id,
            event.client_id,
            event.user_id,
            event.r#type,
            event.conversation_id.unwrap_or_default(),
            event.message_id.unwrap_or_default(),
            json(event.data.properties),
            json(event.data.user_properties),
            json(event.data.metadata),
            event.created_at.to_string(),
        ]
    });
    csv::response("events.csv", names, rows, total)
}

/// Lists the feedback on answers that the project's visitors gave, the newest first.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/feedback",
    tag = "reports",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ReportParameters,
        ("type" = Option<FeedbackType>, Query, description = "Only feedback of this type"),
    ),
    responses(
        (status = 200, description = "A page of feedback; in CSV, a text of a visitor that a spreadsheet would take for a \
            formula begins with an apostrophe", content((FeedbackList = "application/json"), (String = "text/csv")),
            headers(("x-total-count" = Option<u64>, description = "With CSV: the number of entries on all pages"))),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_feedback(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    query: ReportQuery,
) -> Result<Response, Error> {
    let format = format(&query)?;
    let filter = filter(&query)?;
    if query.parameter("type").is_some_and(|name| FeedbackType::from_name(name).is_none()) {
        return Err(Error::field("type", "must be `positive` or `negative`"));
    }
    let page = state.store.list_feedback(&owner, filter, query.page).await?;
    if format == Format::Json {
        let pagination = Pagination::of(query.page, &page);
        let list = FeedbackList { data: page.items, pagination };
        return Ok(([(header::CACHE_CONTROL, "no-store")], Json(list)).into_response());
    }
    let Page { items, total } = page;
    let names = [
        "id",
        "clientId",
        "userId",
        "conversationId",
        "messageId",
        "type",
        "details",
        "createdAt",
        "updatedAt",
    ];
    let rows = items.into_iter().map(|feedback| {
        [
            feedback.id,
            feedback.client_id,
            feedback.user_id,
            feedback.conversation_id,
            feedback.message_id.unwrap_or_default(),
            feedback.r#type.name().to_owned(),
            feedback.details.map_or_else(String::new, |details| {
                serde_json::from_str::<String>(details.get()).unwrap_or_else(|_| details.get().to_owned())
            }),
            feedback.created_at.to_string(),
            feedback.updated_at.to_string(),
        ]
    });
    csv::response("feedback.csv", names, rows, total)
}

fn format(query: &ReportQuery) -> Result<Format, Error> {
    match query.parameter("format") {
        None | Some("json") => Ok(Format::Json),
        Some("csv") => Ok(Format::Csv),
        Some(_) => Err(Error::field("format", "must be `json` or `csv`")),
    }
}

fn filter(query: &ReportQuery) -> Result<ReportFilter<'_>, Error> {
    let text = |name: &str| {
        let text = query.parameter(name).unwrap_or_default();
        if text.contains('\0') {
            return Err(Error::field(name, "must not contain the character U+0000"));
        }
        Ok(text)
    };
    Ok(ReportFilter { r#type: text("type")?, client_id: text("clientId")? })
}
