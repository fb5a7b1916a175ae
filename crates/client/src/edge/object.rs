//! Plain objects: the data that JavaScript passes and receives, and the JSON of responses.

use alloc::string::String;

use js_sys::JSON;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::failure::Failure;
use crate::flow::Json;

#[wasm_bindgen]
extern "C" {
    /// An object whose members are read and written by name.
    #[derive(Clone)]
    pub type Object;

    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn get(this: &Object, name: &str) -> JsValue;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set_value(this: &Object, name: &str, value: &JsValue);
}

impl Object {
    pub(super) fn new() -> Self {
        js_sys::Object::new().unchecked_into()
    }

    /// Sets a member.
    pub(super) fn set(&self, name: &str, value: impl Into<JsValue>) {
        self.set_value(name, &value.into());
    }

    /// Sets a member, if there is a value.
    pub(super) fn set_some(&self, name: &str, value: Option<impl Into<JsValue>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

/// Returns the value that a call rejects with.
pub(super) fn failure(failure: &Failure) -> JsValue {
    let object = Object::new();
    object.set("code", failure.code.as_str());
    object.set_some("status", failure.status.map(f64::from));
    object.set_some("field", failure.field);
    object.set_some("detail", failure.detail.as_deref());
    object.set_some("requestId", failure.request_id.as_deref());
    object.set_some("retryAfterMs", failure.retry_after_ms);
    object.into()
}

/// A JSON object, with its text.
pub(super) struct Body {
    pub(super) object: Object,
    text: Option<JsValue>,
}

impl Body {
    /// Parses a response; `None` when it is not a JSON object.
    pub(super) fn parse(text: JsValue) -> Option<Self> {
        let value = JSON::parse(&text.as_string()?).ok().filter(JsValue::is_object)?;
        Some(Self { object: value.unchecked_into(), text: Some(text) })
    }
}

impl From<Object> for Body {
    fn from(object: Object) -> Self {
        Self { object, text: None }
    }
}

impl Json for Body {
    fn text(&self, name: &str) -> Option<String> {
        self.object.get(name).as_string()
    }

    fn number(&self, name: &str) -> Option<f64> {
        let value = self.object.get(name);
        if value.loose_eq(&JsValue::NULL) {
            return None;
        }
        Some(value.as_f64().unwrap_or(f64::NAN))
    }

    fn object(&self, name: &str) -> Option<Self> {
        let value = self.object.get(name);
        value.is_object().then(|| Object::from(value).into())
    }

    fn is_true(&self, name: &str) -> bool {
        self.object.get(name).as_bool() == Some(true)
    }

    fn source(&self) -> String {
        self.text.as_ref().and_then(JsValue::as_string).unwrap_or_default()
    }
}
