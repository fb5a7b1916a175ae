//! The arguments of the exported functions: `types.rs` declares them in TypeScript.

use alloc::string::String;

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

use super::object::Object;

#[wasm_bindgen]
extern "C" {
    /// The functions of the environment that the flow calls.
    #[wasm_bindgen(typescript_type = "Host")]
    pub type Host;

    #[wasm_bindgen(method, getter)]
    pub(super) fn signal(this: &Host) -> AbortSignal;
    #[wasm_bindgen(method, getter, js_name = sliceMs)]
    pub(super) fn slice_ms(this: &Host) -> f64;
    #[wasm_bindgen(method, getter, js_name = timeoutMs)]
    pub(super) fn timeout_ms(this: &Host) -> f64;
    #[wasm_bindgen(method, getter)]
    pub(super) fn origin(this: &Host) -> JsValue;
    #[wasm_bindgen(method, getter)]
    pub(super) fn sharing(this: &Host) -> bool;
    #[wasm_bindgen(method, getter, js_name = request)]
    pub(super) fn own_request(this: &Host) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn request(this: &Host, request: &Object) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn state(this: &Host, state: &str);
    #[wasm_bindgen(method)]
    pub(super) fn progress(this: &Host, searched: f64, total: f64, elapsed_ms: f64);
    #[wasm_bindgen(method)]
    pub(super) fn pause(this: &Host) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn share(this: &Host, rest: &Object) -> Promise;
    #[wasm_bindgen(method, getter, js_name = solveV2)]
    pub(super) fn own_solve_v2(this: &Host) -> JsValue;
    #[wasm_bindgen(method, js_name = solveV2)]
    pub(super) fn solve_v2(this: &Host, challenge: &str, limit_ms: Option<f64>) -> Promise;

    /// The options of [`session`](super::session).
    #[wasm_bindgen(typescript_type = "SessionOptions")]
    pub type SessionOptions;

    #[wasm_bindgen(method, getter, js_name = baseUrl)]
    pub(super) fn base_url(this: &SessionOptions) -> String;
    #[wasm_bindgen(method, getter, js_name = appPath)]
    pub(super) fn app_path(this: &SessionOptions) -> String;
    #[wasm_bindgen(method, getter, js_name = challengePaths)]
    pub(super) fn challenge_paths(this: &SessionOptions) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(super) fn token(this: &SessionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn solution(this: &SessionOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = maxNumber)]
    pub(super) fn max_number(this: &SessionOptions) -> f64;
    #[wasm_bindgen(method, getter, js_name = elapsedMs)]
    pub(super) fn elapsed_ms(this: &SessionOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = solveOnly)]
    pub(super) fn solve_only(this: &SessionOptions) -> bool;
    #[wasm_bindgen(method, getter, js_name = challengeResponse)]
    pub(super) fn challenge_response(this: &SessionOptions) -> Option<Object>;
    #[wasm_bindgen(method, getter, js_name = sessionResponse)]
    pub(super) fn session_response(this: &SessionOptions) -> Option<Object>;

    /// The options of [`solve`](super::solve) and [`search`](super::search).
    #[wasm_bindgen(typescript_type = "SearchOptions")]
    pub type SearchOptions;

    #[wasm_bindgen(method, getter, js_name = maxNumber)]
    pub(super) fn max_number(this: &SearchOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    pub(super) fn start(this: &SearchOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    pub(super) fn end(this: &SearchOptions) -> Option<f64>;
}
