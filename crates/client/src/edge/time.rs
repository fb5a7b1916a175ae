//! Time, randomness, and futures that end with a timer or a signal. Their promises are settled when they are dropped,
//! since a future of a promise that never settles is never freed.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::flow::Now;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn steady_ms() -> f64;
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(run: Option<&Function>, ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// Returns the time and a random number for one step of a flow.
pub(super) fn now() -> Now {
    // The edge may read both: the flow takes them as arguments.
    #[allow(clippy::disallowed_methods)]
    // Without randomness the longest waits are used.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    Now { ms: js_sys::Date::now(), random: f64::from(random) / 4_294_967_296.0 }
}

/// A promise that is resolved from here.
struct Resolvable {
    promise: JsFuture,
    resolve: Option<Function>,
}

impl Resolvable {
    fn new() -> Self {
        let mut resolve = None;
        let promise = Promise::new(&mut |function, _| resolve = Some(function));
        // Its executor runs within the constructor.
        Self { promise: promise.into(), resolve }
    }

    fn resolve(&self) {
        if let Some(resolve) = &self.resolve {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    }
}

/// A timer.
pub(super) struct Sleep {
    timer: JsValue,
    end: Resolvable,
}

impl Sleep {
    pub(super) fn new(ms: f64) -> Self {
        let end = Resolvable::new();
        Self { timer: set_timeout(end.resolve.as_ref(), ms), end }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.end.promise).poll(context).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
        self.end.resolve();
    }
}

/// An aborted signal.
struct Abort<'a> {
    signal: &'a AbortSignal,
    end: Resolvable,
}

impl<'a> Abort<'a> {
    fn new(signal: &'a AbortSignal) -> Self {
        let end = Resolvable::new();
        if signal.aborted() {
            end.resolve();
        }
        if let Some(resolve) = &end.resolve {
            let _ = signal.add_event_listener_with_callback("abort", resolve);
        }
        Self { signal, end }
    }
}

impl Drop for Abort<'_> {
    fn drop(&mut self) {
        if let Some(resolve) = &self.end.resolve {
            let _ = self.signal.remove_event_listener_with_callback("abort", resolve);
        }
        self.end.resolve();
    }
}

/// Runs `work` until it is done; returns `None` when the signal is aborted first.
pub(super) async fn until_aborted<T>(signal: &AbortSignal, work: impl Future<Output = T>) -> Option<T> {
    let mut abort = Abort::new(signal);
    let mut work = pin!(work);
    poll_fn(|context| {
        if signal.aborted() || Pin::new(&mut abort.end.promise).poll(context).is_ready() {
            return Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// Runs `work` until it is done; returns `None` when the time has passed first.
pub(super) async fn within<T>(ms: f64, work: impl Future<Output = T>) -> Option<T> {
    let mut limit = Sleep::new(ms);
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        Pin::new(&mut limit).poll(context).map(|()| None)
    })
    .await
}
