//! A JSON object from a server, on its way into the client's module.

use saltmine_client::flow::Json;
use serde_json::{Map, Value};

/// As `JSON.parse` gives it to the module.
#[derive(Clone, Debug)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn new(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self(members)) } else { None }
    }

    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        Self::new(serde_json::from_slice(json).ok()?)
    }
}

/// The module's view: a number that is no whole one is none.
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

    fn object(&self, name: &str) -> Option<Self> {
        match self.0.get(name)? {
            Value::Object(members) => Some(Self(members.clone())),
            Value::Array(_) => Some(Self(Map::new())),
            _ => None,
        }
    }

    fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    fn source(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}
