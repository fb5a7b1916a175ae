//! The exported functions against the reference server, in Node and in a worker of a browser. `xtask` starts the server
//! and passes its address.
#![cfg(target_arch = "wasm32")]

use js_sys::{Array, Function, Promise, Reflect};
use saltmine_client::{Host, SearchOptions, SessionOptions, session, solve};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

/// The reference server in development mode.
const SERVER: Option<&str> = option_env!("SALTMINE_TEST_SERVER");
/// An address that accepts connections and sends nothing.
const SILENT: Option<&str> = option_env!("SALTMINE_TEST_SILENT");
const APP: &str = "app_demo000000000000";

const HOST: &str = "return {
    signal, timeoutMs, origin: 'http://127.0.0.1', sliceMs: 25, sharing: false,
    state: (state) => states.push(state),
    progress() {},
    pause: () => new Promise((resume) => setTimeout(resume)),
    share: async () => null,
  }";
const OPTIONS: &str = "return {
    baseUrl, appPath, solveOnly, maxNumber: 1e7,
    challengePaths: [`/run/auth/challenge?appId=${appPath}`, '/run/auth/pow/challenge'],
  }";
/// SHA-256 of `salt7`.
const CHALLENGE: &str = "return {
    algorithm: 'sha-256', salt: 'salt', maxnumber,
    challenge: '2ab204d76cdcec4609d290441fed2eec4186d288ca47c40cc7dd661a0de1b0d0',
    signature: '0'.repeat(64),
  }";

fn server() -> &'static str {
    SERVER.expect("run these tests by `npm test`, which starts the server")
}

/// Calls a function of JavaScript's.
fn call(parameters: &str, body: &str, arguments: &[JsValue]) -> JsValue {
    let function = Function::new_with_args(parameters, body);
    function.apply(&JsValue::NULL, &arguments.iter().collect::<Array>()).expect("no exception")
}

struct TestEnvironment {
    controller: AbortController,
    states: Array,
}

impl TestEnvironment {
    fn new() -> Self {
        Self { controller: AbortController::new().expect("a controller"), states: Array::new() }
    }

    fn host(&self, timeout_ms: u32) -> Host {
        let arguments = [self.controller.signal().into(), timeout_ms.into(), self.states.clone().into()];
        call("signal, timeoutMs, states", HOST, &arguments).unchecked_into()
    }

    fn session(&self, base_url: &str, app: &str, solve_only: bool, timeout_ms: u32) -> Promise {
        let options =
            call("baseUrl, appPath, solveOnly", OPTIONS, &[base_url.into(), app.into(), solve_only.into()]);
        session(options.unchecked_into::<SessionOptions>(), self.host(timeout_ms))
    }

    fn solve(&self, max_number: f64) -> Promise {
        let options = call("", "return { maxNumber: 1e12, start: 0 }", &[]);
        let challenge = call("maxnumber", CHALLENGE, &[max_number.into()]);
        solve(challenge.unchecked_into(), options.unchecked_into::<SearchOptions>(), self.host(1_000))
    }

    /// The states that were reported.
    fn states(&self) -> Vec<String> {
        self.states.iter().filter_map(|state| state.as_string()).collect()
    }
}

fn text(object: &JsValue, name: &str) -> String {
    Reflect::get(object, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_session() {
    let environment = TestEnvironment::new();
    let grant = JsFuture::from(environment.session(server(), APP, false, 15_000)).await.expect("a session");
    assert_eq!(text(&grant, "token").split('.').count(), 3, "a JWT");
    assert!(text(&grant, "expiresAt").ends_with('Z'));
    assert!(text(&grant, "challengePath").starts_with("/run/auth/"));
    let states = environment.states();
    assert_eq!(states.first().map(String::as_str), Some("challenge"));
    assert_eq!(states[states.len() - 2..], ["solving", "session"]);
}

#[wasm_bindgen_test]
async fn a_solution() {
    let solved = JsFuture::from(TestEnvironment::new().session(server(), APP, true, 15_000))
        .await
        .expect("a solution");
    assert_eq!(text(&solved, "type"), "solved");
    assert!(text(&solved, "header").starts_with("eyJ"), "base64 of a JSON object");
}

#[wasm_bindgen_test]
async fn a_challenge() {
    let found = JsFuture::from(TestEnvironment::new().solve(1_000.0)).await.expect("a number");
    assert_eq!(found.as_f64(), Some(7.0));
    let absent = JsFuture::from(TestEnvironment::new().solve(6.0)).await.expect("null");
    assert!(absent.is_null());
}

#[wasm_bindgen_test]
async fn a_refusal() {
    let promise = TestEnvironment::new().session(server(), "app_0000000000000000", false, 15_000);
    let failure = JsFuture::from(promise).await.expect_err("there is no such app");
    assert_eq!(text(&failure, "code"), "app_not_found");
    assert_eq!(Reflect::get(&failure, &"status".into()).ok().and_then(|status| status.as_f64()), Some(404.0));
    assert!(!text(&failure, "requestId").is_empty());
}

#[wasm_bindgen_test]
async fn an_abort() {
    let environment = TestEnvironment::new();
    let promise = environment.session(SILENT.expect("an address"), APP, false, 15_000);
    environment.controller.abort();
    let failure = JsFuture::from(promise).await.expect_err("it was aborted");
    assert_eq!(text(&failure, "code"), "aborted");
}

#[wasm_bindgen_test]
async fn a_time_limit() {
    let promise = TestEnvironment::new().session(SILENT.expect("an address"), APP, false, 50);
    let failure = JsFuture::from(promise).await.expect_err("nothing is sent");
    assert_eq!(text(&failure, "code"), "timeout");
}
