//! The flow, driven by hand: every branch, with the time as an argument and no network.
#![cfg(not(target_arch = "wasm32"))]

use saltmine_client::failure::{Code, Failure};
use saltmine_client::flow::{Config, Event, Flow, Json, Request, Response, Session, Step};
use serde_json::{Value, json};

/// 2026-09-21T14:13:20Z, the time at which all of these tests play.
const NOW_MS: f64 = 1_790_000_000_000.0;
const SALT_AN_HOUR_LEFT: &str = "9296a1efb9cb79fb0d5d2ab8?expires=1790003600&";

#[derive(Clone, Debug)]
struct Body(Value);

impl Json for Body {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Null => None,
            value => Some(value.as_f64().unwrap_or(f64::NAN)),
        }
    }
}

fn config() -> Config {
    Config {
        base_url: "https://api.example.com//".into(),
        app_path: "app_1".into(),
        origin: None,
        token: None,
        max_number: 10_000_000,
    }
}

fn answer(status: u16, body: Value) -> Event<Body> {
    Event::Response(Response { status, date_ms: Some(NOW_MS), body: Some(Body(body)) })
}

fn not_json(status: u16) -> Event<Body> {
    Event::Response(Response { status, date_ms: None, body: None })
}

fn challenge_expiring(salt: &str) -> Value {
    json!({ "algorithm": "SHA-256", "challenge": "0".repeat(64), "maxnumber": 50_000, "salt": salt, "signature": "1".repeat(64) })
}

fn challenge() -> Value {
    challenge_expiring(SALT_AN_HOUR_LEFT)
}

fn request(step: Step) -> Request {
    match step {
        Step::Request(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

fn failure(step: Step) -> Failure {
    match step {
        Step::Failed(failure) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

/// A flow whose search has just begun.
fn searching(config: Config, challenge: Value) -> Flow {
    let mut flow = Flow::new(config);
    flow.start();
    assert!(matches!(flow.resume(answer(200, challenge), NOW_MS), Step::Search));
    flow
}

/// A flow that waits for its session.
fn awaiting_session() -> Flow {
    let mut flow = searching(config(), challenge());
    request(flow.resume(Event::<Body>::Searched(Some(42)), NOW_MS));
    flow
}

#[test]
fn challenge_then_search_then_session() {
    let mut flow = Flow::new(config());
    let first = request(flow.start());
    assert_eq!(first.method, "GET");
    assert_eq!(first.url, "https://api.example.com/run/auth/pow/challenge");
    assert!(first.headers.is_empty());

    let Step::Search = flow.resume(answer(200, challenge()), NOW_MS) else { panic!("no search") };
    let read = flow.challenge().expect("the challenge").clone();
    assert_eq!((read.salt(), read.max_number()), (SALT_AN_HOUR_LEFT, 50_000));

    let second = request(flow.resume(Event::<Body>::Searched(Some(42)), NOW_MS));
    assert_eq!(second.method, "POST");
    assert_eq!(second.url, "https://api.example.com/run/auth/apps/app_1/anonymous-session");
    assert_eq!(second.headers, [("X-Inkeep-Challenge-Solution", read.solution(42).to_header())]);

    let granted = json!({ "token": "t", "expiresAt": "2026-10-21T14:13:20Z" });
    let Step::Done(session) = flow.resume(answer(200, granted), NOW_MS) else { panic!("no session") };
    let expected =
        Session { token: "t".into(), expires_at: "2026-10-21T14:13:20Z".into(), proof_of_work: true };
    assert_eq!(session, expected);
}

#[test]
fn not_found_on_the_challenge_means_off() {
    for event in [answer(404, json!({ "detail": "off" })), not_json(404)] {
        let mut flow = Flow::new(config());
        flow.start();
        let session = request(flow.resume(event, NOW_MS));
        assert!(session.headers.is_empty());
        let Step::Done(session) = flow.resume(answer(200, json!({ "token": "t", "expiresAt": "e" })), NOW_MS)
        else {
            panic!("no session")
        };
        assert!(!session.proof_of_work);
    }
}

#[test]
fn the_old_token_and_the_origin_are_sent() {
    let mut flow = searching(
        Config { token: Some("old".into()), origin: Some("https://a.example".into()), ..config() },
        challenge(),
    );
    let session = request(flow.resume(Event::<Body>::Searched(Some(1)), NOW_MS));
    assert!(session.headers.contains(&("Authorization", "Bearer old".into())));
    assert!(session.headers.contains(&("Origin", "https://a.example".into())));
}

#[test]
fn refusals_have_a_code_each() {
    let cases = [
        (400, json!({ "reason": "pow_required" }), Code::PowRequired),
        (400, json!({ "reason": "pow_invalid" }), Code::PowInvalid),
        (400, json!({ "reason": "pow_expired" }), Code::PowExpired),
        (400, json!({ "reason": "pow_replayed" }), Code::PowReplayed),
        (400, json!({ "reason": "something new" }), Code::BadRequest),
        (400, json!({}), Code::BadRequest),
        (401, json!({}), Code::AnonymousNotAllowed),
        (403, json!({}), Code::OriginNotAllowed),
        (404, json!({}), Code::AppNotFound),
        (409, json!({}), Code::BadRequest),
        (429, json!({}), Code::RateLimited),
        (500, json!({}), Code::ServerError),
        (503, json!({}), Code::ServerError),
        (204, json!({}), Code::ResponseMalformed),
        (302, json!({}), Code::ResponseMalformed),
    ];
    for (status, mut body, code) in cases {
        body["detail"] = json!("the server's words");
        let expected =
            Failure { code, status: Some(status), field: None, detail: Some("the server's words".into()) };
        assert_eq!(
            failure(awaiting_session().resume(answer(status, body.clone()), NOW_MS)),
            expected,
            "{status}"
        );
        if status != 404 {
            let mut flow = Flow::new(config());
            flow.start();
            assert_eq!(failure(flow.resume(answer(status, body), NOW_MS)), expected, "challenge {status}");
        }
    }
}

#[test]
fn an_answer_that_is_not_json_is_told_by_its_status() {
    assert_eq!(failure(awaiting_session().resume(not_json(200), NOW_MS)).code, Code::ResponseMalformed);
    assert_eq!(failure(awaiting_session().resume(not_json(502), NOW_MS)).code, Code::ServerError);
    let mut flow = Flow::new(config());
    flow.start();
    assert_eq!(failure(flow.resume(not_json(200), NOW_MS)).code, Code::ResponseMalformed);
}

#[test]
fn a_session_needs_both_members() {
    for body in [
        json!({}),
        json!({ "token": "t" }),
        json!({ "token": "", "expiresAt": "e" }),
        json!({ "token": 1, "expiresAt": "e" }),
    ] {
        let failed = failure(awaiting_session().resume(answer(200, body), NOW_MS));
        assert_eq!((failed.code, failed.status), (Code::ResponseMalformed, Some(200)));
    }
}

#[test]
fn a_malformed_member_is_named() {
    let broken = |name: &str, value: Value| {
        let mut body = challenge();
        body[name] = value;
        let mut flow = Flow::new(config());
        flow.start();
        failure(flow.resume(answer(200, body), NOW_MS))
    };
    for name in ["algorithm", "challenge", "salt", "signature"] {
        for value in [Value::Null, json!(7)] {
            let failed = broken(name, value);
            assert_eq!((failed.code, failed.field), (Code::ChallengeMalformed, Some(name)));
        }
    }
    for value in [json!("50000"), json!(-1), json!(1.5), json!(9_007_199_254_740_992_i64)] {
        let failed = broken("maxnumber", value);
        assert_eq!((failed.code, failed.field), (Code::ChallengeMalformed, Some("maxnumber")));
    }
    let failed = broken("algorithm", json!("MD5"));
    assert_eq!((failed.code, failed.field), (Code::AlgorithmUnsupported, Some("algorithm")));
}

#[test]
fn a_range_over_the_ceiling_is_refused_before_any_work() {
    let mut body = challenge();
    body["maxnumber"] = json!(10_000_001);
    let mut flow = Flow::new(config());
    flow.start();
    assert_eq!(failure(flow.resume(answer(200, body), NOW_MS)).code, Code::MaxNumberTooLarge);
}

#[test]
fn an_absent_maxnumber_is_a_million_and_meets_the_ceiling_too() {
    let mut body = challenge();
    body["maxnumber"] = Value::Null;
    let mut flow = Flow::new(Config { max_number: 999_999, ..config() });
    flow.start();
    assert_eq!(failure(flow.resume(answer(200, body), NOW_MS)).code, Code::MaxNumberTooLarge);
}

#[test]
fn nothing_found_is_no_solution() {
    let mut flow = searching(config(), challenge());
    assert_eq!(failure(flow.resume(Event::<Body>::Searched(None), NOW_MS)).code, Code::NoSolution);
}

#[test]
fn a_challenge_that_runs_out_while_it_is_solved_is_replaced_once() {
    let hour_ms = 3_600_000.0;
    let mut flow = searching(config(), challenge());
    let again = request(flow.resume(Event::<Body>::Searched(Some(1)), NOW_MS + hour_ms));
    assert_eq!(again.url, "https://api.example.com/run/auth/pow/challenge");
    assert!(matches!(flow.resume(answer(200, challenge()), NOW_MS), Step::Search));
    assert_eq!(
        failure(flow.resume(Event::<Body>::Searched(Some(1)), NOW_MS + hour_ms)).code,
        Code::PowExpired
    );
}

#[test]
fn a_server_that_switches_off_in_between_asked_for_no_work() {
    let mut flow = searching(config(), challenge());
    request(flow.resume(Event::<Body>::Searched(Some(1)), NOW_MS + 3_600_000.0));
    let session = request(flow.resume(not_json(404), NOW_MS));
    assert!(session.headers.is_empty());
    let granted = json!({ "token": "t", "expiresAt": "e" });
    let Step::Done(session) = flow.resume(answer(200, granted), NOW_MS) else { panic!("no session") };
    assert!(!session.proof_of_work);
}

#[test]
fn a_stale_challenge_is_not_searched() {
    let mut flow = Flow::new(config());
    flow.start();
    let stale = "9296a1efb9cb79fb0d5d2ab8?expires=1790000001&";
    request(flow.resume(answer(200, challenge_expiring(stale)), NOW_MS));
    assert_eq!(failure(flow.resume(answer(200, challenge_expiring(stale)), NOW_MS)).code, Code::PowExpired);
}

#[test]
fn the_servers_clock_counts_not_the_visitors() {
    let two_hours_ms = 7_200_000.0;
    for visitor_ms in [NOW_MS + two_hours_ms, NOW_MS - two_hours_ms] {
        let mut flow = Flow::new(config());
        flow.start();
        assert!(matches!(flow.resume(answer(200, challenge()), visitor_ms), Step::Search));
        let session = request(flow.resume(Event::<Body>::Searched(Some(1)), visitor_ms + 5_000.0));
        assert_eq!(session.method, "POST");
    }
    // Without the server's clock nothing is given up: the server judges.
    let mut flow = Flow::new(config());
    flow.start();
    let unknown = Event::Response(Response { status: 200, date_ms: None, body: Some(Body(challenge())) });
    assert!(matches!(flow.resume(unknown, NOW_MS + two_hours_ms), Step::Search));
}

#[test]
fn an_event_out_of_turn_ends_the_flow() {
    let mut flow = Flow::new(config());
    flow.start();
    assert_eq!(failure(flow.resume(Event::<Body>::Searched(Some(1)), NOW_MS)).code, Code::ResponseMalformed);
    assert_eq!(failure(flow.resume(answer(200, challenge()), NOW_MS)).code, Code::ResponseMalformed);
}
