use super::chat::ChatEvent;
use super::chat_completions::Chunk;
use super::problem::{LegacyProblem, Problem};
use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, HeaderBuilder, OpenApi as Description, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Where the description is served.
const ADDRESS: &str = "/openapi.json";

/// Where a page shows it, below the documentation.
pub(super) const PAGE: &str = "/docs/http-api";

/// What the handlers do not say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "saltmine",
        description = "Anonymous sessions for chat widgets, behind a proof of work.\n\nThe way in: `GET /run/auth/pow/challenge`, solve it, `POST /run/auth/apps/{appId}/anonymous-session`, then the run API with the token. Every error is a problem (RFC 9457); switch on its `reason`."
    ),
    external_docs(url = "/docs/", description = "Guides, and everything else about saltmine"),
    tags(
        (name = "session", description = "From nothing to a session token"),
        (name = "run", description = "What a widget does with it"),
        (name = "apps", description = "Who may use the server from pages"),
        (name = "api-keys", description = "Who may use it from servers"),
        (name = "reports", description = "What widgets reported"),
        (name = "visitors", description = "Export and erase what visitors said"),
        (name = "operation", description = "How the server is"),
    ),
    components(schemas(Problem, LegacyProblem, ChatEvent, Chunk)),
    modifiers(&Security)
)]
struct Frame;

struct Security;

impl Modify for Security {
    fn modify(&self, description: &mut Description) {
        let bearer = |words: &str| {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.description = Some(words.to_owned());
            SecurityScheme::Http(bearer)
        };
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("session", bearer("A session's token"));
        components.add_security_scheme("apiKey", bearer("The secret of an API key"));
        components.add_security_scheme("managementKey", bearer("The operator's key"));
    }
}

pub(super) fn frame() -> Description {
    Frame::openapi()
}

/// Serves the description, written once, and a page to browse it, whose files are in the binary.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(mut description: Description) -> Router<S> {
    description.paths.paths.values_mut().flat_map(operations).for_each(|operation| {
        describe_quotas(operation);
        describe_problems(operation);
    });
    let json: Bytes = description.to_json().expect("a description is always JSON").into();
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    // Without the validator's badge, whose service would receive this server's address.
    let page = SwaggerUi::new(PAGE).config(Config::from(ADDRESS).validator_url("none"));
    Router::new().route(ADDRESS, get(async move || (content_type, json))).merge(page)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = item;
    [get, post, patch, delete].into_iter().flatten()
}

/// Every route of the run API has quotas.
fn describe_quotas(operation: &mut Operation) {
    if !operation.tags.iter().flatten().any(|tag| tag == "run") {
        return;
    }
    let header = |kind, words: &str| {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        HeaderBuilder::new().schema(Some(schema)).description(Some(words)).build()
    };
    let response = ResponseBuilder::new()
        .description("A quota is used up: of the visitor, the address or the app")
        .header("retry-after", header(Type::Integer, "When to try again, in seconds"))
        .header(
            "ratelimit",
            header(Type::String, "What remains of the quota, and in how many seconds there is more"),
        )
        .header("ratelimit-policy", header(Type::String, "The quota, and its window in seconds"))
        .build();
    operation.responses.responses.entry("429".to_owned()).or_insert(response.into());
}

/// Every refusal has the same form: handlers say when there is one, and this says how it looks.
fn describe_problems(operation: &mut Operation) {
    let problem = || RefOr::T(Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem")))));
    let responses = &mut operation.responses.responses;
    let other = ResponseBuilder::new().description("Anything else that is wrong").build();
    responses.insert("default".to_owned(), other.into());
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && (status == "default" || status.starts_with(['4', '5']))
        {
            response.content.insert("application/problem+json".to_owned(), problem());
        }
    }
}
