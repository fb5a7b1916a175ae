//! The flow, driven by hand: every branch, with the time as an argument and no network.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use saltmine_client::failure::{Code, Failure};
use saltmine_client::flow::{Challenge, Config, Event, Flow, Goal, Granted, Now, Response, Step};
use serde_json::{Value, json};
use support::{
    Body, NOW_MS, SALT_AN_HOUR_LEFT, answer, at, challenge, challenge_expiring, config, failure, not_json,
    now, request, unanswered,
};

/// A flow whose search has just begun.
fn searching(config: Config, challenge: Value) -> Flow {
    let mut flow = Flow::new(config);
    flow.start(now());
    assert!(matches!(flow.resume(answer(200, challenge), now()), Step::Search));
    flow
}

/// A flow that waits for its session.
fn awaiting_session() -> Flow {
    let mut flow = searching(config(), challenge());
    request(flow.resume(Event::<Body>::Searched(Some(42)), now()));
    flow
}

/// Returns the last step of a flow that receives `event` for the request that waits and for all further requests.
fn exhausted(mut flow: Flow, event: Event<Body>) -> Step {
    for _ in 0..20 {
        match flow.resume(event.clone(), now()) {
            Step::Wait(_) => {
                request(flow.resume(Event::<Body>::Waited, now()));
            }
            Step::Request(_) => {}
            end => return end,
        }
    }
    panic!("the flow loops")
}

#[test]
fn challenge_then_search_then_session() {
    let mut flow = Flow::new(config());
    let first = request(flow.start(now()));
    assert_eq!(first.method, "GET");
    assert_eq!(first.url, "https://api.example.com/run/auth/pow/challenge");
    assert!(first.headers.is_empty());

    let Step::Search = flow.resume(answer(200, challenge()), now()) else { panic!("no search") };
    let Some(Challenge::V1(read)) = flow.challenge().cloned() else { panic!("no challenge") };
    assert_eq!((read.salt(), read.max_number()), (SALT_AN_HOUR_LEFT, 50_000));

    let second = request(flow.resume(Event::<Body>::Searched(Some(42)), now()));
    assert_eq!(second.method, "POST");
    assert_eq!(second.url, "https://api.example.com/run/auth/apps/app_1/anonymous-session");
    assert_eq!(second.headers, [("X-Inkeep-Challenge-Solution", read.solution(42).to_header())]);

    let granted = json!({ "token": "t", "expiresAt": "2026-10-21T14:13:20Z" });
    let Step::Granted(session) = flow.resume(answer(200, granted), now()) else { panic!("no session") };
    let expected = Granted {
        token: "t".into(),
        expires_at: "2026-10-21T14:13:20Z".into(),
        proof_of_work: true,
        server_ms: Some(NOW_MS),
        challenge_path: Some("/run/auth/pow/challenge".into()),
    };
    assert_eq!(session, expected);
}

#[test]
fn not_found_on_the_challenge_means_off() {
    for event in [answer(404, json!({ "detail": "off" })), not_json(404)] {
        let mut flow = Flow::new(config());
        flow.start(now());
        let session = request(flow.resume(event, now()));
        assert!(session.headers.is_empty());
        let Step::Granted(session) =
            flow.resume(answer(200, json!({ "token": "t", "expiresAt": "e" })), now())
        else {
            panic!("no session")
        };
        assert!(!session.proof_of_work);
    }
}

#[test]
fn the_old_token_is_sent() {
    let mut flow = searching(Config { token: Some("old".into()), ..config() }, challenge());
    let session = request(flow.resume(Event::<Body>::Searched(Some(1)), now()));
    assert!(session.headers.contains(&("Authorization", "Bearer old".into())));
}

#[test]
fn refusals_have_a_code_each() {
    let cases = [
        (400, json!({ "reason": "pow_required" }), Code::PowRequired),
        (400, json!({ "reason": "something new" }), Code::BadRequest),
        (400, json!({}), Code::BadRequest),
        (401, json!({}), Code::AnonymousNotAllowed),
        (403, json!({}), Code::OriginNotAllowed),
        (404, json!({}), Code::AppNotFound),
        (409, json!({}), Code::BadRequest),
        (204, json!({}), Code::ResponseMalformed),
        (302, json!({}), Code::ResponseMalformed),
    ];
    for (status, mut body, code) in cases {
        body["detail"] = json!("the server's words");
        let expected =
            Failure { status: Some(status), detail: Some("the server's words".into()), ..code.into() };
        assert_eq!(
            failure(awaiting_session().resume(answer(status, body.clone()), now())),
            expected,
            "{status}"
        );
        if status != 404 {
            let mut flow = Flow::new(config());
            flow.start(now());
            assert_eq!(failure(flow.resume(answer(status, body), now())), expected, "challenge {status}");
        }
    }
}

#[test]
fn an_answer_that_is_not_json_is_told_by_its_status() {
    assert_eq!(failure(awaiting_session().resume(not_json(200), now())).code, Code::ResponseMalformed);
    assert_eq!(failure(exhausted(awaiting_session(), not_json(502))).code, Code::ServerError);
    let mut flow = Flow::new(config());
    flow.start(now());
    assert_eq!(failure(flow.resume(not_json(200), now())).code, Code::ResponseMalformed);
}

#[test]
fn a_session_needs_both_members() {
    for body in [
        json!({}),
        json!({ "token": "t" }),
        json!({ "token": "", "expiresAt": "e" }),
        json!({ "token": 1, "expiresAt": "e" }),
    ] {
        let failed = failure(awaiting_session().resume(answer(200, body), now()));
        assert_eq!((failed.code, failed.status), (Code::ResponseMalformed, Some(200)));
    }
}

#[test]
fn a_malformed_member_is_named() {
    let broken = |name: &str, value: Value| {
        let mut body = challenge();
        body[name] = value;
        let mut flow = Flow::new(config());
        flow.start(now());
        failure(flow.resume(answer(200, body), now()))
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
    flow.start(now());
    assert_eq!(failure(flow.resume(answer(200, body), now())).code, Code::MaxNumberTooLarge);
}

#[test]
fn an_absent_maxnumber_is_a_million_and_meets_the_ceiling_too() {
    let mut body = challenge();
    body["maxnumber"] = Value::Null;
    let mut flow = Flow::new(Config { max_number: 999_999, ..config() });
    flow.start(now());
    assert_eq!(failure(flow.resume(answer(200, body), now())).code, Code::MaxNumberTooLarge);
}

#[test]
fn nothing_found_is_no_solution() {
    let mut flow = searching(config(), challenge());
    assert_eq!(failure(flow.resume(Event::<Body>::Searched(None), now())).code, Code::NoSolution);
}

#[test]
fn a_challenge_that_runs_out_while_it_is_solved_is_replaced_once() {
    let hour_ms = 3_600_000.0;
    let mut flow = searching(config(), challenge());
    let again = request(flow.resume(Event::<Body>::Searched(Some(1)), at(hour_ms)));
    assert_eq!(again.url, "https://api.example.com/run/auth/pow/challenge");
    assert!(matches!(flow.resume(answer(200, challenge()), now()), Step::Search));
    assert_eq!(failure(flow.resume(Event::<Body>::Searched(Some(1)), at(hour_ms))).code, Code::PowExpired);
}

#[test]
fn a_server_that_switches_off_in_between_asked_for_no_work() {
    let mut flow = searching(config(), challenge());
    request(flow.resume(Event::<Body>::Searched(Some(1)), at(3_600_000.0)));
    let session = request(flow.resume(not_json(404), now()));
    assert!(session.headers.is_empty());
    let granted = json!({ "token": "t", "expiresAt": "e" });
    let Step::Granted(session) = flow.resume(answer(200, granted), now()) else { panic!("no session") };
    assert!(!session.proof_of_work);
}

#[test]
fn a_stale_challenge_is_not_searched() {
    let mut flow = Flow::new(config());
    flow.start(now());
    let stale = "9296a1efb9cb79fb0d5d2ab8?expires=1790000001&";
    request(flow.resume(answer(200, challenge_expiring(stale)), now()));
    assert_eq!(failure(flow.resume(answer(200, challenge_expiring(stale)), now())).code, Code::PowExpired);
}

#[test]
fn the_servers_clock_counts_not_the_visitors() {
    let two_hours_ms = 7_200_000.0;
    for visitor_ms in [two_hours_ms, -two_hours_ms] {
        let mut flow = Flow::new(config());
        flow.start(at(visitor_ms));
        assert!(matches!(flow.resume(answer(200, challenge()), at(visitor_ms)), Step::Search));
        let session = request(flow.resume(Event::<Body>::Searched(Some(1)), at(visitor_ms + 5_000.0)));
        assert_eq!(session.method, "POST");
    }
    // Without the server's clock nothing is given up: the server judges.
    let mut flow = Flow::new(config());
    flow.start(now());
    let unknown = Event::Response(Response {
        status: 200,
        date_ms: None,
        retry_after_ms: None,
        request_id: None,
        body: Some(Body::from(challenge())),
    });
    assert!(matches!(flow.resume(unknown, at(two_hours_ms)), Step::Search));
}

#[test]
fn an_event_out_of_turn_ends_the_flow() {
    let mut flow = Flow::new(config());
    flow.start(now());
    assert_eq!(failure(flow.resume(Event::<Body>::Searched(Some(1)), now())).code, Code::ResponseMalformed);
    assert_eq!(failure(flow.resume(answer(200, challenge()), now())).code, Code::ResponseMalformed);
}

#[test]
fn a_refused_solution_is_replaced_once() {
    for (reason, code) in [
        ("pow_invalid", Code::PowInvalid),
        ("pow_expired", Code::PowExpired),
        ("pow_replayed", Code::PowReplayed),
    ] {
        let refusal = || answer(400, json!({ "reason": reason }));
        let mut flow = awaiting_session();
        assert_eq!(request(flow.resume(refusal(), now())).method, "GET");
        assert!(matches!(flow.resume(answer(200, challenge()), now()), Step::Search));
        assert_eq!(request(flow.resume(Event::<Body>::Searched(Some(7)), now())).method, "POST");
        assert_eq!(failure(flow.resume(refusal(), now())).code, code);
    }
}

#[test]
fn a_server_that_switches_on_in_between_gets_its_work() {
    for (reason, code) in [
        ("pow_required", Code::PowRequired),
        ("pow_invalid", Code::PowInvalid),
        ("pow_expired", Code::PowExpired),
        ("pow_replayed", Code::PowReplayed),
    ] {
        let mut flow = Flow::new(config());
        flow.start(now());
        request(flow.resume(not_json(404), now()));
        let refusal = || answer(400, json!({ "reason": reason }));
        assert_eq!(request(flow.resume(refusal(), now())).method, "GET", "{reason}");
        request(flow.resume(not_json(404), now()));
        assert_eq!(failure(flow.resume(refusal(), now())).code, code);
    }
}

#[test]
fn trouble_is_tried_again_three_times_each_wait_twice_as_long() {
    let troubles = || {
        [
            (unanswered(false), Code::Network),
            (unanswered(true), Code::Timeout),
            (not_json(429), Code::RateLimited),
            (not_json(500), Code::ServerError),
            (not_json(503), Code::ServerError),
        ]
    };
    for (trouble, code) in troubles() {
        for begin in [
            || awaiting_session(),
            || {
                let mut flow = Flow::new(config());
                flow.start(now());
                flow
            },
        ] {
            let mut flow = begin();
            for most_ms in [500, 1_000, 2_000] {
                let Step::Wait(ms) = flow.resume(trouble.clone(), now()) else { panic!("no wait") };
                assert!((most_ms * 99 / 100..=most_ms).contains(&ms), "{ms} of {most_ms}");
                request(flow.resume(Event::<Body>::Waited, now()));
            }
            assert_eq!(failure(flow.resume(trouble.clone(), now())).code, code);
        }
    }
}

#[test]
fn the_jitter_is_full() {
    let mut flow = awaiting_session();
    let Step::Wait(ms) = flow.resume(unanswered(false), Now { ms: NOW_MS, random: 0.0 }) else {
        panic!("no wait")
    };
    assert_eq!(ms, 0);
}

#[test]
fn retries_end_after_half_a_minute() {
    let mut flow = awaiting_session();
    let Step::Wait(_) = flow.resume(unanswered(true), at(15_000.0)) else { panic!("no wait") };
    request(flow.resume(Event::<Body>::Waited, at(15_500.0)));
    assert_eq!(failure(flow.resume(unanswered(true), at(30_500.0))).code, Code::Timeout);
}

/// A slow phone searches for longer than the retries may take, and must not lose what it found to one lost response.
#[test]
fn the_time_of_the_search_is_not_taken_from_the_retries() {
    let mut flow = searching(config(), challenge());
    request(flow.resume(Event::<Body>::Searched(Some(42)), at(45_000.0)));
    let Step::Wait(_) = flow.resume(unanswered(false), at(45_100.0)) else { panic!("no wait") };
    request(flow.resume(Event::<Body>::Waited, at(45_600.0)));
    assert_eq!(failure(flow.resume(unanswered(true), at(75_600.0))).code, Code::Timeout);
}

/// Found by `fuzz/`: an hour back was an hour more for `Retry-After`.
#[test]
fn a_clock_that_is_set_back_lengthens_no_wait() {
    let busy = Event::Response(Response::<Body> {
        status: 429,
        date_ms: None,
        retry_after_ms: Some(3_600_000.0),
        request_id: None,
        body: None,
    });
    for set_back_ms in [3_600_000.0, 86_400_000.0] {
        assert_eq!(
            failure(awaiting_session().resume(busy.clone(), at(-set_back_ms))).code,
            Code::RateLimited,
            "{set_back_ms}"
        );
    }
    let trouble = unanswered(false);
    assert!(matches!(awaiting_session().resume(trouble, at(-1_000.0)), Step::Wait(_)), "a second is nothing");
}

#[test]
fn a_server_that_says_when_is_not_asked_earlier() {
    let busy = |retry_after_ms| {
        Event::Response(Response::<Body> {
            status: 429,
            date_ms: None,
            retry_after_ms: Some(retry_after_ms),
            request_id: None,
            body: None,
        })
    };
    let Step::Wait(ms) = awaiting_session().resume(busy(7_000.0), now()) else { panic!("no wait") };
    assert!((7_000..7_500).contains(&ms), "{ms}");
    let Step::Wait(ms) = awaiting_session().resume(busy(-60_000.0), now()) else { panic!("no wait") };
    assert!(ms < 500, "{ms}");
    // Longer than a visitor waits.
    assert_eq!(failure(awaiting_session().resume(busy(60_000.0), now())).code, Code::RateLimited);
}

#[test]
fn a_solution_that_ran_out_while_the_flow_waited_is_replaced() {
    let salt = "9296a1efb9cb79fb0d5d2ab8?expires=1790000010&";
    let mut flow = searching(config(), challenge_expiring(salt));
    request(flow.resume(Event::<Body>::Searched(Some(1)), now()));
    let Step::Wait(_) = flow.resume(unanswered(false), at(8_000.0)) else { panic!("no wait") };
    assert_eq!(request(flow.resume(Event::<Body>::Waited, at(8_500.0))).method, "GET");
}

#[test]
fn a_prepared_solution_is_spent_first() {
    let prepared = || Config { solution: Some("prepared".into()), ..config() };
    let mut flow = Flow::new(prepared());
    let session = request(flow.start(now()));
    assert_eq!(session.method, "POST");
    assert_eq!(session.headers, [("X-Inkeep-Challenge-Solution", "prepared".into())]);
    let granted = || answer(200, json!({ "token": "t", "expiresAt": "e" }));
    let Step::Granted(session) = flow.resume(granted(), now()) else { panic!("no session") };
    assert!(session.proof_of_work);

    let mut flow = Flow::new(prepared());
    flow.start(now());
    let refused = answer(400, json!({ "reason": "pow_replayed" }));
    assert_eq!(request(flow.resume(refused, now())).method, "GET");
    assert!(matches!(flow.resume(answer(200, challenge()), now()), Step::Search));
    let session = request(flow.resume(Event::<Body>::Searched(Some(7)), now()));
    assert_ne!(session.headers[0].1, "prepared");
}

#[test]
fn a_solution_can_be_the_goal() {
    let goal = || Config { goal: Goal::Solution, ..config() };
    let mut flow = searching(goal(), challenge());
    let Step::Solved(Some(solved)) = flow.resume(Event::<Body>::Searched(Some(42)), at(1_000.0)) else {
        panic!("no solution")
    };
    let Some(Challenge::V1(challenge)) = flow.challenge().cloned() else { panic!("no challenge") };
    assert_eq!(solved.header, challenge.solution(42).to_header());
    assert_eq!(solved.expires_in_ms, Some(3_599_000.0));

    let mut flow = Flow::new(goal());
    flow.start(now());
    assert!(matches!(flow.resume(not_json(404), now()), Step::Solved(None)));
}

/// A flow ends after few requests, even if the server always sends the same response, whichever it is.
#[test]
fn nothing_loops() {
    let mut bodies =
        vec![json!({}), challenge(), challenge_expiring("a?expires=1&"), json!({ "token": "t" })];
    bodies.extend(
        ["required", "invalid", "expired", "replayed"].map(|r| json!({ "reason": format!("pow_{r}") })),
    );
    for status in (100..=599).chain([0, 600, 999, u16::MAX]) {
        for body in &bodies {
            let mut flow = Flow::new(config());
            let mut requests = 1;
            flow.start(now());
            let mut event = answer(status, body.clone());
            loop {
                let step = flow.resume(event, now());
                requests += usize::from(matches!(step, Step::Request(_)));
                assert!(requests <= 7, "{status} {body}: a request too many");
                event = match step {
                    Step::Request(_) => answer(status, body.clone()),
                    Step::Search => Event::Searched(Some(1)),
                    Step::Wait(_) => Event::Waited,
                    _ => break,
                };
            }
        }
    }
}
