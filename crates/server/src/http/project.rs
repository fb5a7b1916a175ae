//! The tenant and the project in the paths of the management API.

use crate::{App, AppState, Error, Owner};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use utoipa::IntoParams;

/// The tenant and the project that a path names.
pub(super) struct ProjectPath(pub(super) Owner);

/// Describes [`ProjectPath`].
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes what `ProjectPath` reads")]
pub(super) struct ProjectParameters {
    /// The tenant.
    #[param(rename = "tenantId", min_length = 1, max_length = 255, pattern = "^[A-Za-z0-9._-]+$")]
    tenant_id: String,
    /// The project of the tenant.
    #[param(rename = "projectId", min_length = 1, max_length = 255, pattern = "^[A-Za-z0-9._-]+$")]
    project_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for ProjectPath {
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

/// Returns the app with this id, if it belongs to the project.
///
/// # Errors
///
/// [`Error::AppNotFound`], or an error of the store.
pub(super) async fn app_of(state: &AppState, owner: &Owner, id: &str) -> Result<App, Error> {
    let app = state.store.find_app(id).await?;
    let is_own = |app: &App| app.tenant_id == owner.tenant_id && app.project_id == owner.project_id;
    app.filter(is_own).ok_or(Error::AppNotFound)
}

/// Checks the id of a tenant or project, which is part of paths and tokens.
fn plain_id(field: &str, id: &str) -> Result<String, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=255).contains(&id.len()) && id.bytes().all(is_plain) {
        Ok(id.to_owned())
    } else {
        Err(Error::field(field, "must have 1 to 255 of A-Z, a-z, 0-9, `-`, `_` and `.`"))
    }
}
