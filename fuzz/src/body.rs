//! A JSON object from a server, on its way into the client's module.

use saltmine_client::flow::Json;
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

/// As `JSON.parse` gives it to `pkg/src/work.ts`.
#[derive(Clone, Debug)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn new(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self(members)) } else { None }
    }

    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        Self::new(serde_json::from_slice(json).ok()?)
    }

    /// What `handOver` in `pkg/src/work.ts` makes of it.
    pub(crate) fn form(&self) -> Vec<u8> {
        let mut form = Serializer::new(String::new());
        for (name, value) in &self.0 {
            match value {
                Value::Null => continue,
                Value::String(text) => form.append_pair(name, &format!("s{text}")),
                Value::Number(number) => form.append_pair(name, &format!("n{}", spelled(number.as_f64()))),
                _ => form.append_pair(name, "other"),
            };
        }
        form.finish().into_bytes()
    }
}

/// A double as JavaScript writes it, as far as the module's reader can tell: whole ones below 10^21 in digits.
fn spelled(number: Option<f64>) -> String {
    let number = number.unwrap_or(f64::NAN);
    match number.abs() {
        0.0 => "0".into(),
        size if size < 1e21 => number.to_string(),
        _ => format!("{number:e}"),
    }
}

/// The module's view without the way through it: a number that is no whole one is none.
impl Json for Body {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(Into::into)
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Null => None,
            value => Some(
                value.as_f64().filter(|n| *n >= 0.0 && *n < 1e21 && n.fract() == 0.0).unwrap_or(f64::NAN),
            ),
        }
    }
}
