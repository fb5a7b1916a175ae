//! Keys of signed-in users for the demo app, from the demo page. Only development has this route, and the API's description
//! does not contain it.

use super::body::JsonBody;
use super::session::enabled_app;
use super::{origin, user_keys};
use crate::development::DEMO_APP_ID;
use crate::{AppState, Error, Owner, UserKey};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde::Deserialize;

/// The path to which the demo page sends its key.
const PATH: &str = "/development/demo-keys";

/// The prefix of the `kid` of these keys. Other keys are not changed.
const PREFIX: &str = "demo-";

/// The maximum number of these keys: the page generates a new key on every visit.
const MAX_DEMO_KEYS: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemoKey {
    public_key: String,
    algorithm: String,
}

/// Returns the route, in development.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    if state.settings.is_development { Router::new().route(PATH, post(add)) } else { Router::new() }
}

/// Adds a key to the demo app, and replaces the oldest at the maximum; the response has its `kid`. Pages of other origins
/// cannot send JSON here, since the route has no CORS headers.
async fn add(
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<DemoKey>,
) -> Result<impl IntoResponse, Error> {
    let app = enabled_app(&state, DEMO_APP_ID).await?;
    origin::require_allowed(app.web_client()?, &headers)?;
    let kid = format!("{PREFIX}{}", state.random.lowercase(16).map_err(Error::Random)?);
    let key = UserKey::new(&kid, &new.public_key, &new.algorithm, state.clock.now())?;
    let owner = Owner { tenant_id: app.tenant_id.clone(), project_id: app.project_id.clone() };
    user_keys::change(&state, &owner, DEMO_APP_ID, move |web_client| {
        let keys = &mut web_client.public_keys;
        let is_demo = |key: &UserKey| key.kid.starts_with(PREFIX);
        while keys.iter().filter(|key| is_demo(key)).count() >= MAX_DEMO_KEYS {
            if let Some(oldest) = keys.iter().position(is_demo) {
                keys.remove(oldest);
            }
        }
        keys.push(key);
        Ok(())
    })
    .await?;
    let body = axum::Json(serde_json::json!({ "data": { "kid": kid } }));
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], body))
}
