//! The edge against the real server, in Node and in a worker of a browser.
//!
//! Needs `saltmine-server` at `SALTMINE_TEST_BASE_URL` (when this is compiled), in development mode and with its
//! demo app; `npm test` starts one.
#![cfg(target_arch = "wasm32")]

use js_sys::{Object, Promise, Reflect};
use saltmine_client::edge::{Host, Search, session};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

const BASE_URL: &str = match option_env!("SALTMINE_TEST_BASE_URL") {
    Some(url) => url,
    None => "http://127.0.0.1:8787",
};
const DEMO_APP: &str = "app_demo000000000000";

fn set(object: &JsValue, name: &str, value: impl Into<JsValue>) {
    Reflect::set(object, &name.into(), &value.into()).expect("a plain object takes members");
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}

fn options(app_id: &str) -> JsValue {
    let options = Object::new().into();
    set(&options, "baseUrl", BASE_URL);
    set(&options, "appId", app_id);
    set(&options, "origin", "http://127.0.0.1");
    set(&options, "maxNumber", 10_000_000);
    options
}

/// The smallest host: no time limit, and the whole search at one go.
fn host(states: &js_sys::Array) -> JsValue {
    let host = Object::new().into();
    let states = states.clone();
    let state = Closure::<dyn FnMut(JsValue)>::new(move |name| {
        states.push(&name);
    });
    let signal = Closure::<dyn FnMut() -> JsValue>::new(|| {
        AbortController::new().map_or(JsValue::UNDEFINED, |controller| controller.signal().into())
    });
    let ended = Closure::<dyn FnMut() -> JsValue>::new(|| "network".into());
    let search = Closure::<dyn FnMut(Search) -> Promise>::new(|search: Search| {
        Promise::resolve(&JsValue::from(search.run(0.0, search.max_number())))
    });
    set(&host, "state", state.into_js_value());
    set(&host, "requestSignal", signal.into_js_value());
    set(&host, "requestEnded", ended.into_js_value());
    set(&host, "search", search.into_js_value());
    host
}

async fn run(options: JsValue) -> (Result<JsValue, JsValue>, Vec<String>) {
    let states = js_sys::Array::new();
    let host = host(&states).unchecked_into::<Host>();
    let outcome = session(options, host).await;
    (outcome, states.iter().filter_map(|state| state.as_string()).collect())
}

#[wasm_bindgen_test]
async fn a_session_from_the_real_server() {
    let (outcome, states) = run(options(DEMO_APP)).await;
    let granted = outcome.expect("a session");
    assert_eq!(states, ["challenge", "solving", "session"]);
    assert_eq!(text(&granted, "token").expect("a token").split('.').count(), 3);
    assert!(text(&granted, "expiresAt").expect("an expiry").ends_with('Z'));
    assert_eq!(Reflect::get(&granted, &"proofOfWork".into()).expect("a member"), JsValue::TRUE);
}

#[wasm_bindgen_test]
async fn an_unknown_app_is_a_failure_with_its_status() {
    let (outcome, _) = run(options("app_0000000000000000/?#")).await;
    let failed = outcome.expect_err("no such app");
    assert_eq!(text(&failed, "code").as_deref(), Some("app_not_found"));
    assert_eq!(Reflect::get(&failed, &"status".into()).expect("a status"), JsValue::from(404));
    assert!(text(&failed, "detail").is_some());
}

#[wasm_bindgen_test]
async fn a_server_that_is_not_there_is_a_network_failure() {
    let options = options(DEMO_APP);
    // Port 9 is reserved for discarding; nothing listens there, and browsers refuse it outright.
    set(&options, "baseUrl", "http://127.0.0.1:9");
    let (outcome, _) = run(options).await;
    assert_eq!(text(&outcome.expect_err("no server"), "code").as_deref(), Some("network"));
}

#[wasm_bindgen_test]
fn a_challenge_is_searched_to_its_ends() {
    // SHA-256("salt7")
    let challenge = Object::new().into();
    set(&challenge, "algorithm", "sha-256");
    set(&challenge, "challenge", "2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0");
    set(&challenge, "maxnumber", 1000);
    set(&challenge, "salt", "salt");
    set(&challenge, "signature", "0".repeat(64));
    let search = Search::open(challenge, 1000.0).expect("a challenge");
    assert!((search.max_number() - 1000.0).abs() < f64::EPSILON);
    for (start, end, found) in [(0.0, 1000.0, 7.0), (7.0, 7.0, 7.0), (0.0, 6.0, -1.0), (8.0, 1000.0, -1.0)] {
        assert!((search.run(start, end) - found).abs() < f64::EPSILON, "{start}..={end}");
    }
}

#[wasm_bindgen_test]
fn a_challenge_that_is_none_is_named() {
    for value in [JsValue::NULL, JsValue::from("text"), Object::new().into()] {
        let Err(failed) = Search::open(value, 1000.0) else { panic!("it was opened") };
        assert_eq!(text(&failed, "code").as_deref(), Some("challenge_malformed"));
        assert_eq!(text(&failed, "field").as_deref(), Some("algorithm"));
    }
}
