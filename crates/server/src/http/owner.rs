//! What the management API's resources have in common: their owner, and the key that opens them.

use super::caller::bearer;
use crate::{AppState, Error, Owner};
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::IntoParams;

/// The tenant and the project of the path.
pub(super) struct OwnedBy(pub(super) Owner);

/// How [`OwnedBy`] is described.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes what `OwnedBy` reads")]
pub(super) struct OwnerParameters {
    /// The tenant that owns it.
    #[param(rename = "tenantId", min_length = 1, max_length = 255, pattern = "^[A-Za-z0-9._-]+$")]
    tenant_id: String,
    /// The project that it belongs to.
    #[param(rename = "projectId", min_length = 1, max_length = 255, pattern = "^[A-Za-z0-9._-]+$")]
    project_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for OwnedBy {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters =
            parameters.map_err(|rejection| Error::Refused(rejection.into_response().status()))?;
        let id = |name| {
            let id = parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
            plain_id(name, id)
        };
        Ok(Self(Owner { tenant_id: id("tenantId")?, project_id: id("projectId")? }))
    }
}

/// The id of a tenant or project, as it stands in paths and tokens.
fn plain_id(field: &str, id: &str) -> Result<String, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=255).contains(&id.len()) && id.bytes().all(is_plain) {
        Ok(id.to_owned())
    } else {
        Err(Error::field(field, "must have 1 to 255 of A-Z, a-z, 0-9, `-`, `_` and `.`"))
    }
}

/// A text that says something, without the space around it.
pub(super) fn text(field: &str, text: String, max_characters: usize) -> Result<String, Error> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > max_characters {
        return Err(Error::field(field, format!("must have 1 to {max_characters} characters")));
    }
    if trimmed.contains('\0') {
        return Err(Error::field(field, "must not contain the character U+0000"));
    }
    Ok(trimmed.to_owned())
}

/// Refuses every call of the management API without its key. With no key configured, no call has it.
pub(super) async fn require_management_key(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let key = state.settings.management_key.as_ref();
    let given = bearer(request.headers());
    match (key, given) {
        (Some(key), Some(given)) if key.matches(given) => next.run(request).await,
        _ => Error::ManagementKey.into_response(),
    }
}
