//! The flow with today's service: two challenge routes, the envelope, challenges of version 2, and what a challenge may ask
//! for beside its solution.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use saltmine_client::failure::Code;
use saltmine_client::flow::{Challenge, Config, Event, Flow, Goal, Now, Response, SolutionV2, Step};
use serde_json::{Value, json};
use support::{Body, answer, challenge, config, failure, not_json, now, request};

const NEWER: &str = "/run/auth/challenge?appId=app_1";
const OLDER: &str = "/run/auth/pow/challenge";

fn both() -> Config {
    Config { challenge_paths: vec![NEWER.into(), OLDER.into()], ..config() }
}

fn decoded(base64: &str) -> Value {
    let table = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = (0_u32, 0);
    let mut bytes = Vec::new();
    for digit in base64.bytes().filter(|digit| *digit != b'=') {
        let value = table.iter().position(|known| *known == digit).expect("base64") as u32;
        bits = (bits.0 << 6 | value, bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            bytes.push((bits.0 >> bits.1 & 255) as u8);
        }
    }
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The solution header of a request.
fn solution(step: Step) -> String {
    let request = request(step);
    let header = request.headers.iter().find(|(name, _)| *name == "X-Inkeep-Challenge-Solution");
    header.expect("a solution").1.clone()
}

fn granted() -> Event<Body> {
    answer(200, json!({ "token": "t", "expiresAt": "e" }))
}

/// A challenge of version 2 as a text, with what a typed language would lose.
fn version_2(more: &str) -> Event<Body> {
    let text = format!(
        r#"{{"parameters": {{"algorithm":"PBKDF2/SHA-256","cost":5000,"expiresAt":1790003600,"memoryCost":null,
        "data":{{"big":123456789012345678901234567890,"float":1e21,"ü":"🧂"}}}},"signature":"ab"{more}}}"#
    );
    let value = serde_json::from_str(&text).expect("JSON");
    let response = Response {
        status: 200,
        date_ms: None,
        retry_after_ms: None,
        request_id: None,
        body: Some(Body(value, text)),
    };
    Event::Response(response)
}

fn found() -> Event<Body> {
    Event::SearchedV2(Some(SolutionV2 { counter: 7, derived_key: "cafe".into(), time_ms: 12.7 }))
}

#[test]
fn the_routes_are_tried_in_order() {
    let mut flow = Flow::new(both());
    assert_eq!(request(flow.start(now())).url, format!("https://api.example.com{NEWER}"));
    assert_eq!(request(flow.resume(not_json(404), now())).url, format!("https://api.example.com{OLDER}"));
    assert!(matches!(flow.resume(answer(200, challenge()), now()), Step::Search));
    let header = solution(flow.resume(Event::<Body>::Searched(Some(42)), now()));
    assert_eq!(decoded(&header)["number"], 42, "the older route's solutions have no envelope");
    let Step::Granted(session) = flow.resume(granted(), now()) else { panic!("no session") };
    assert_eq!(session.challenge_path.as_deref(), Some(OLDER));
}

#[test]
fn where_no_route_answers_proof_of_work_is_off() {
    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(not_json(404), now());
    let session = request(flow.resume(not_json(404), now()));
    assert!(session.url.ends_with("/anonymous-session") && session.headers.is_empty());
    let Step::Granted(session) = flow.resume(granted(), now()) else { panic!("no session") };
    assert_eq!((session.proof_of_work, session.challenge_path), (false, None));

    let mut flow = Flow::new(Config { goal: Goal::Solution, challenge_paths: vec![], ..config() });
    assert!(matches!(flow.start(now()), Step::Solved(None)));
}

/// The server issues challenges for apps only, and does not know this one: the session's refusal names the fault.
#[test]
fn an_older_route_that_is_refused_after_a_404_is_no_failure() {
    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(not_json(404), now());
    let session = request(flow.resume(answer(400, json!({ "reason": "bad_request" })), now()));
    assert!(session.url.ends_with("/anonymous-session"));
    assert_eq!(failure(flow.resume(not_json(404), now())).code, Code::AppNotFound);

    let mut flow = Flow::new(both());
    flow.start(now());
    assert_eq!(failure(flow.resume(not_json(400), now())).code, Code::BadRequest, "the newer route's own");
}

/// A page remembers the older route for a day; a server that has since changed to only version 2 refuses it.
#[test]
fn an_older_route_that_is_remembered_and_refused_gives_way_to_the_newer() {
    let mut flow = Flow::new(Config { challenge_paths: vec![OLDER.into(), NEWER.into()], ..config() });
    assert!(request(flow.start(now())).url.ends_with(OLDER));
    let next = request(flow.resume(answer(400, json!({ "reason": "bad_request" })), now()));
    assert!(next.url.ends_with(NEWER));

    let mut flow = Flow::new(Config { challenge_paths: vec![OLDER.into()], ..config() });
    flow.start(now());
    assert_eq!(failure(flow.resume(not_json(400), now())).code, Code::BadRequest, "the caller's own path");
}

#[test]
fn proof_of_work_that_was_switched_on_starts_with_the_first_route() {
    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(not_json(404), now());
    flow.resume(not_json(404), now());
    let refused = answer(400, json!({ "detail": "Bot protection challenge solution is required." }));
    assert!(request(flow.resume(refused, now())).url.ends_with(NEWER));
}

#[test]
fn the_newer_route_gets_its_solutions_in_an_envelope() {
    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(answer(200, challenge()), now());
    let header = solution(flow.resume(Event::<Body>::Searched(Some(42)), now()));
    let payload = decoded(&header)["payload"].as_str().expect("a payload").to_owned();
    assert_eq!(decoded(&payload)["number"], 42);
    let Step::Granted(session) = flow.resume(granted(), now()) else { panic!("no session") };
    assert_eq!(session.challenge_path.as_deref(), Some(NEWER));
}

#[test]
fn a_challenge_of_version_2_goes_back_as_it_came() {
    let mut flow = Flow::new(both());
    flow.start(now());
    assert!(matches!(flow.resume(version_2(""), now()), Step::Search));
    let Some(Challenge::V2(challenge)) = flow.challenge() else { panic!("no version 2") };
    assert!(challenge.text.contains("123456789012345678901234567890") && challenge.text.contains("1e21"));
    assert!(challenge.text.contains(r#""memoryCost":null"#));
    let read: Value = serde_json::from_str(&challenge.text).expect("JSON");
    assert_eq!(read["parameters"]["data"]["ü"], "🧂");
    assert_eq!(read["signature"], "ab");

    let header = solution(flow.resume(found(), now()));
    let payload = decoded(decoded(&header)["payload"].as_str().expect("a payload"));
    assert_eq!(payload["challenge"], read);
    assert_eq!(payload["solution"], json!({ "counter": 7, "derivedKey": "cafe", "time": 12 }));
}

#[test]
fn a_challenge_of_version_2_expires_too() {
    let mut flow = Flow::new(Config { goal: Goal::Solution, ..both() });
    flow.start(now());
    let Event::Response(response) = version_2("") else { unreachable!() };
    let dated = Event::Response(Response { date_ms: Some(1_790_003_599_000.0), ..response });
    assert!(request(flow.resume(dated, now())).url.ends_with(NEWER), "it has a second left: another one");
}

/// The search ends when its solution would come too late, without one.
#[test]
fn a_challenge_of_version_2_that_expires_during_the_search_is_replaced_once() {
    let mut flow = Flow::new(both());
    flow.start(now());
    let dated = || {
        let Event::Response(response) = version_2("") else { unreachable!() };
        Event::Response(Response { date_ms: Some(1_790_003_590_000.0), ..response })
    };
    assert!(matches!(flow.resume(dated(), now()), Step::Search));
    assert_eq!(flow.search_time_ms(now()), Some(8_000.0));
    let later = Now { ms: now().ms + 8_100.0, ..now() };
    assert_eq!(flow.search_time_ms(later), Some(0.0));
    assert!(request(flow.resume(Event::<Body>::SearchedV2(None), later)).url.ends_with(NEWER));
    assert!(matches!(flow.resume(dated(), now()), Step::Search));
    assert_eq!(failure(flow.resume(Event::<Body>::SearchedV2(None), later)).code, Code::PowExpired);
}

#[test]
fn without_a_solution_of_version_2_the_flow_fails() {
    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(version_2(""), now());
    assert_eq!(failure(flow.resume(Event::<Body>::SearchedV2(None), now())).code, Code::NoSolution);
}

#[test]
fn a_challenge_for_a_person_is_an_error_of_its_own() {
    let mut flow = Flow::new(both());
    flow.start(now());
    let step = flow.resume(version_2(r#","codeChallenge":{"image":"data:"}"#), now());
    assert_eq!(failure(step).code, Code::InteractionRequired);
    let mut flow = Flow::new(both());
    flow.start(now());
    assert!(matches!(flow.resume(version_2(r#","codeChallenge":null"#), now()), Step::Search));
}

#[test]
fn interaction_data_are_sent_empty() {
    let mut flow = Flow::new(both());
    flow.start(now());
    let his = || answer(200, json!({ "his": { "url": "/v1/his" } }));
    let post = request(flow.resume(his(), now()));
    assert_eq!((post.method, &*post.url), ("POST", "https://api.example.com/v1/his?appId=app_1"));
    assert_eq!(post.headers, [("Content-Type", "application/json".into())]);
    let body: Value = serde_json::from_str(&post.body.expect("a body")).expect("JSON");
    let empty = json!({ "focus": [], "maxTouchPoints": 0, "pointer": [], "scroll": [], "time": 1_790_000_000_000_u64, "touch": [] });
    assert_eq!(body, json!({ "his": empty }));
    assert!(matches!(flow.resume(version_2(""), now()), Step::Search));

    let mut flow = Flow::new(both());
    flow.start(now());
    flow.resume(his(), now());
    assert_eq!(failure(flow.resume(his(), now())).code, Code::InteractionRequired, "no second time");
}

#[test]
fn a_solution_can_be_verified_before_it_is_used() {
    let verifying = || {
        let mut flow = Flow::new(both());
        flow.start(now());
        flow.resume(version_2(r#","configuration":{"verifyUrl":"/v1/verify?key=1"}"#), now());
        let post = request(flow.resume(found(), now()));
        assert_eq!((post.method, &*post.url), ("POST", "https://api.example.com/v1/verify?key=1"));
        let body: Value = serde_json::from_str(&post.body.expect("a body")).expect("JSON");
        assert_eq!(decoded(body["payload"].as_str().expect("a payload"))["solution"]["counter"], 7);
        flow
    };
    let payload_after = |response| {
        let header = solution(verifying().resume(answer(200, response), now()));
        decoded(&header)["payload"].as_str().expect("a payload").to_owned()
    };
    assert_eq!(payload_after(json!({ "verified": true, "payload": "signed" })), "signed");
    assert_eq!(decoded(&payload_after(json!({ "verified": true })))["solution"]["counter"], 7);
    for refused in [json!({ "verified": false, "reason": "bot" }), json!({}), json!({ "verified": "true" })] {
        assert_eq!(failure(verifying().resume(answer(200, refused), now())).code, Code::PowInvalid);
    }
    // It is repeated like every request.
    let mut flow = verifying();
    assert!(matches!(flow.resume(not_json(503), now()), Step::Wait(_)));
    assert!(request(flow.resume(Event::<Body>::Waited, now())).url.contains("/v1/verify"));
}

#[test]
fn refusals_without_a_reason_are_read_by_their_words() {
    let cases = [
        (400, "Bot protection challenge solution is required.", Code::PowRequired),
        (400, "Bot protection challenge solution is invalid.", Code::PowInvalid),
        (403, "Bot protection verification failed", Code::PowInvalid),
        (400, "Proof-of-work challenge has expired. Please request a new challenge.", Code::PowExpired),
        (400, "Proof-of-work challenge solution has already been used.", Code::PowReplayed),
        (400, "App is not a web_client.", Code::BadRequest),
        (403, "Origin not allowed for this app", Code::OriginNotAllowed),
    ];
    for (status, detail, code) in cases {
        let mut flow = Flow::new(Config { solution: Some("prepared".into()), ..both() });
        flow.start(now());
        // The first refusal of a solution requests another challenge; of the second one the flow ends.
        let refused = || answer(status, json!({ "detail": detail }));
        let mut step = flow.resume(refused(), now());
        if matches!(code, Code::PowInvalid | Code::PowExpired | Code::PowReplayed) {
            request(step);
            flow.resume(answer(200, challenge()), now());
            flow.resume(Event::<Body>::Searched(Some(1)), now());
            step = flow.resume(refused(), now());
        }
        let failure = failure(step);
        assert_eq!((failure.code, failure.detail.as_deref()), (code, Some(detail)));
    }
}

#[test]
fn a_refusal_carries_what_a_caller_can_act_on() {
    let mut flow = Flow::new(Config { solution: Some("prepared".into()), ..config() });
    flow.start(now());
    let refused = Event::Response(Response {
        status: 429,
        date_ms: None,
        retry_after_ms: Some(120_000.0),
        request_id: Some("req_1".into()),
        body: Some(Body::from(json!({ "detail": "Slow down.", "requestId": "req_2" }))),
    });
    let failure = failure(flow.resume(refused, now()));
    assert_eq!(failure.code, Code::RateLimited);
    assert_eq!(failure.request_id.as_deref(), Some("req_1"));
    assert_eq!((failure.detail.as_deref(), failure.retry_after_ms), (Some("Slow down."), Some(120_000.0)));
}
