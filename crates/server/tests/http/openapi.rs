use crate::support::{Server, web_client};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn description(server: &Server) -> Value {
    let answer = server.get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

#[tokio::test]
async fn every_route_is_described() {
    let description = description(&Server::new().await).await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let routes: BTreeSet<_> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    let expected = [
        "get /healthz",
        "get /readyz",
        "get /metrics",
        "get /run/auth/pow/challenge",
        "get /run/auth/challenge",
        "post /run/auth/apps/{appId}/anonymous-session",
        "post /run/api/chat",
        "post /run/v1/chat/completions",
        "get /run/v1/conversations",
        "get /run/v1/conversations/{id}",
        "post /run/v1/events",
        "post /run/v1/feedback",
        "delete /run/v1/conversations/{id}",
        "get /run/v1/visitor",
        "delete /run/v1/visitor",
        "delete /manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/conversations/{id}",
        "get /manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/visitors/{visitorId}",
        "delete /manage/tenants/{tenantId}/projects/{projectId}/apps/{appId}/visitors/{visitorId}",
        "post /manage/tenants/{tenantId}/projects/{projectId}/apps",
        "get /manage/tenants/{tenantId}/projects/{projectId}/apps",
        "get /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
        "patch /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
        "delete /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
        "get /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys",
        "post /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys",
        "delete /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys/{kid}",
        "get /manage/tenants/{tenantId}/projects/{projectId}/events",
        "get /manage/tenants/{tenantId}/projects/{projectId}/feedback",
        "post /manage/tenants/{tenantId}/projects/{projectId}/api-keys",
        "get /manage/tenants/{tenantId}/projects/{projectId}/api-keys",
        "delete /manage/tenants/{tenantId}/projects/{projectId}/api-keys/{id}",
        "post /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/revocations",
        "get /manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/revocations",
        "get /manage/audit-log",
    ];
    assert_eq!(routes, expected.map(str::to_owned).into());
}

/// The description names the members of real responses.
#[tokio::test]
async fn answers_are_as_described() {
    let server = Server::new().await;
    let description = description(&server).await;
    let described = |schema: &str| -> BTreeSet<String> {
        let properties = &description["components"]["schemas"][schema]["properties"];
        properties.as_object().unwrap_or_else(|| panic!("{schema}")).keys().cloned().collect()
    };
    let members =
        |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };

    let challenge = server.get("/run/auth/pow/challenge").await.json();
    assert_eq!(described("Challenge"), members(&challenge));
    let challenge = crate::pow_v2::any_challenge().await;
    assert_eq!(described("ChallengeV2"), members(&challenge));
    let mut parameters = members(&challenge["parameters"]);
    parameters.extend(["memoryCost".to_owned(), "parallelism".to_owned()]);
    assert_eq!(described("ChallengeParameters"), parameters);
    assert_eq!(described("ChallengeBinding"), members(&challenge["parameters"]["data"]));
    let app = server.manage(&web_client(json!({ "allowedDomains": ["docs.example.com"] }))).await.json();
    let app = &app["data"]["app"];
    assert_eq!(described("App"), members(app));
    assert_eq!(described("WebClient"), members(&app["config"]["webClient"]));
    let id = app["id"].as_str().unwrap();
    let solution = server.solution().await;
    let session = server.open_session(id, &[("x-inkeep-challenge-solution", &solution)]).await.json();
    assert_eq!(described("Session"), members(&session));
    let mut problem = members(&server.open_session(id, &[]).await.json());
    problem.insert("field".to_owned());
    assert_eq!(described("Problem"), problem);
}

/// A response that makes a client wait has the number of seconds.
#[tokio::test]
async fn where_there_is_a_limit_its_header_is_described() {
    let description = description(&Server::new().await).await;
    for (path, method) in [
        ("/run/auth/pow/challenge", "get"),
        ("/run/auth/apps/{appId}/anonymous-session", "post"),
        ("/run/api/chat", "post"),
        ("/run/v1/conversations", "get"),
    ] {
        let refusal = &description["paths"][path][method]["responses"]["429"];
        assert!(refusal["headers"]["retry-after"].is_object(), "{path}: {refusal}");
    }
}

/// An unresolved reference breaks every generator of clients.
#[tokio::test]
async fn every_reference_leads_somewhere() {
    let description = description(&Server::new().await).await;
    let mut references = BTreeSet::new();
    collect(&description, &mut references);
    assert!(references.len() > 5);
    for reference in references {
        assert!(description.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.insert(reference.clone());
            }
            members.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

/// Every route that is described as protected refuses requests without its credential, and with another one.
#[tokio::test]
async fn every_guard_holds() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let key = crate::support::MANAGEMENT_KEY;
    let description = description(&server).await;
    let mut guarded = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(guards) = operation["security"].as_array() else { continue };
            let is_management = guards.iter().any(|guard| guard.get("managementKey").is_some());
            let wrong: &[&str] = match is_management {
                true => &["", "x", &token, "a management keys", "a management ke", "smk_x"],
                false => &["", "x", key, "smk_x"],
            };
            let path =
                path.replace("{tenantId}", "acme").replace("{projectId}", "docs").replace("{id}", &app);
            let method: axum::http::Method = method.to_uppercase().parse().unwrap();
            let ask = async |authorization: Option<String>| {
                let mut headers = vec![
                    ("x-inkeep-app-id", app.clone()),
                    ("origin", crate::support::PAGE.to_owned()),
                    ("content-type", "application/json".to_owned()),
                ];
                headers.extend(authorization.map(|value| ("authorization", value)));
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
                server.send(crate::support::request(method.clone(), &path, &headers, "{}")).await
            };
            assert_eq!(ask(None).await.status, 401, "{method} {path}");
            for bearer in wrong {
                let answer = ask(Some(format!("Bearer {bearer}"))).await;
                assert_eq!(answer.status, 401, "{method} {path} with {bearer:?}: {}", answer.text());
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            }
            guarded += 1;
        }
    }
    assert_eq!(guarded, 28, "nine calls of the run API, 19 of the management API");
    assert_eq!(server.manage_at(axum::http::Method::GET, crate::support::APPS, &json!({})).await.status, 200);
}
