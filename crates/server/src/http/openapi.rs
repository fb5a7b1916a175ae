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

/// The path of the description.
const ADDRESS: &str = "/openapi.json";

/// The path of the page that shows the description, below the documentation.
pub(super) const PAGE: &str = "/docs/http-api";

/// The parts of the description that no handler declares.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "saltmine",
        description = "Anonymous sessions for chat widgets, behind a proof of work.\n\nTo open a session: request `GET /run/auth/challenge?appId=…`, solve the challenge, send `POST /run/auth/apps/{appId}/anonymous-session`, then call the run API with the token. Every error is a problem (RFC 9457); switch on its `reason`."
    ),
    external_docs(url = "/docs/", description = "The documentation of saltmine"),
    tags(
        (name = "session", description = "Challenges and session tokens"),
        (name = "run", description = "Chat and conversations, with a session token or an API key"),
        (name = "apps", description = "Apps"),
        (name = "api-keys", description = "API keys"),
        (name = "reports", description = "Events and feedback"),
        (name = "visitors", description = "Visitors' data"),
        (name = "operation", description = "Health and metrics"),
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
        .description("A quota of the visitor, the address or the app is used up")
        .header("retry-after", header(Type::Integer, "Seconds until the next attempt"))
        .header(
            "ratelimit",
            header(Type::String, "The rest of the quota, and the seconds until there is more"),
        )
        .header("ratelimit-policy", header(Type::String, "The quota, and its window in seconds"))
        .build();
    operation.responses.responses.entry("429".to_owned()).or_insert(response.into());
}

/// Every error has the same form: the handlers list their errors, and this function adds the form.
fn describe_problems(operation: &mut Operation) {
    let problem = || RefOr::T(Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem")))));
    let responses = &mut operation.responses.responses;
    let other = ResponseBuilder::new().description("Any other error").build();
    responses.insert("default".to_owned(), other.into());
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && (status == "default" || status.starts_with(['4', '5']))
        {
            response.content.insert("application/problem+json".to_owned(), problem());
        }
    }
}
