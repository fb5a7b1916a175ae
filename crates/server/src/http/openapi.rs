use axum::body::Bytes;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What the handlers do not say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "saltmine",
        description = "Anonymous sessions for chat widgets, behind a proof of work.\n\nThe way in: `GET /run/auth/pow/challenge`, solve it, `POST /run/auth/apps/{appId}/anonymous-session`, then the run API with the token. Every error is a problem (RFC 9457); switch on its `reason`."
    ),
    tags(
        (name = "session", description = "From nothing to a session token"),
        (name = "run", description = "What a widget does with it"),
        (name = "apps", description = "Who may use the server"),
    ),
    modifiers(&Security)
)]
struct Frame;

struct Security;

impl Modify for Security {
    fn modify(&self, description: &mut Description) {
        let bearer = || SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("session", bearer());
        components.add_security_scheme("managementKey", bearer());
    }
}

pub(super) fn frame() -> Description {
    Frame::openapi()
}

/// The document as it is served, written once.
pub(super) fn document(description: Description) -> Bytes {
    description.to_json().expect("a description is always JSON").into()
}
