//! Messages as clients send them.

use crate::store::storable;
use crate::{Error, Message, Role};
use serde::de::{IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use utoipa::ToSchema;

/// A message of a chat: its text is in `content`, or in `parts`.
#[derive(Deserialize, ToSchema)]
pub(super) struct MessageInput {
    /// The id that the client chose, 1 to 128 of A-Z, a-z, 0-9, `-` and `_`; the server replaces any other.
    #[schema(value_type = Option<Value>)]
    id: Option<TextOrOther>,
    /// The role of the author. If a visitor sends the request, only messages of the role `user` count.
    #[schema(value_type = Role)]
    role: Sender,
    /// The text, or parts as in `parts`.
    #[schema(value_type = Option<Content>)]
    content: Option<JoinedText>,
    /// The text in parts: those of type `text` are joined, others are ignored. Read if there is no `content`.
    #[schema(value_type = Option<Vec<Value>>)]
    parts: Option<JoinedParts>,
}

/// The `role` of a message.
#[derive(Clone, Copy, PartialEq)]
enum Sender {
    Known(Role),
    /// A role of another service, such as `tool` or `developer`.
    Unknown,
}

impl<'de> Deserialize<'de> for Sender {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = TextOrOther::deserialize(deserializer)?.0.unwrap_or_default();
        let role: Result<_, serde::de::value::Error> = Role::deserialize(text.into_deserializer());
        Ok(role.map_or(Self::Unknown, Self::Known))
    }
}

/// The `content` of a message.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes what `JoinedText` reads")]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Value>),
}

/// A message that a client sent, checked.
#[derive(Clone)]
pub(super) struct ReceivedMessage {
    /// The client's id, if it is valid.
    pub(super) id: Option<String>,
    pub(super) message: Message,
}

/// Reads the messages of a request. Earlier messages of a visitor's request are ignored unless their role is `user`:
/// only the operator writes a system prompt, and only the agent writes its replies.
pub(super) fn read(messages: Vec<MessageInput>, is_visitor: bool) -> Result<Vec<ReceivedMessage>, Error> {
    let last = messages.len().saturating_sub(1);
    let is_read = |index: usize, message: &MessageInput| {
        !is_visitor || index == last || message.role == Sender::Known(Role::User)
    };
    let messages = messages.into_iter().enumerate().filter(|(index, message)| is_read(*index, message));
    messages.map(|(index, message)| message.read(index)).collect()
}

impl MessageInput {
    fn read(self, index: usize) -> Result<ReceivedMessage, Error> {
        let Sender::Known(role) = self.role else {
            let problem = "must be `user`, `assistant` or `system`";
            return Err(Error::field(format!("messages[{index}].role"), problem));
        };
        let content = match (self.content, self.parts) {
            (None, None) => {
                let problem = "is required, unless there is `parts`";
                return Err(Error::field(format!("messages[{index}].content"), problem));
            }
            (Some(JoinedText(text)), _) if !text.is_empty() => text,
            (_, parts) => parts.unwrap_or_default().0.0,
        };
        let id = self.id.and_then(|id| id.0).filter(|id| is_plain_id(id));
        Ok(ReceivedMessage { id, message: Message { role, content: storable(content).into_owned() } })
    }
}

/// A text, or the texts of the parts of type `text`, joined. Other parts, such as megabytes of a file,
/// are skipped while they are read, so that they take no memory.
#[derive(Default)]
struct JoinedText(String);

impl<'de> Deserialize<'de> for JoinedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

/// The texts of the parts of type `text`, joined. A text instead of an array is an error.
#[derive(Default)]
struct JoinedParts(JoinedText);

impl<'de> Deserialize<'de> for JoinedParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = JoinedText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or an array of parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<JoinedText, E> {
        Ok(JoinedText(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<JoinedText, A::Error> {
        let mut joined = String::new();
        while let Some(part) = parts.next_element::<Part>()? {
            if part.r#type.0.as_deref() == Some("text") {
                joined += &part.text.0.unwrap_or_default();
            }
        }
        Ok(JoinedText(joined))
    }
}

/// One part. A value that is not an object is a part without a type.
#[derive(Default)]
struct Part {
    r#type: TextOrOther,
    text: TextOrOther,
}

/// A text, or nothing for any other value.
#[derive(Default)]
struct TextOrOther(Option<String>);

/// Implements `Deserialize` for a type whose default replaces values that are skipped.
macro_rules! skip_others {
    ($type:ty { $($read:item)* }) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct SkippingVisitor;
                impl<'de> Visitor<'de> for SkippingVisitor {
                    type Value = $type;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("any value")
                    }

                    fn visit_bool<E>(self, _: bool) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_i64<E>(self, _: i64) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_u64<E>(self, _: u64) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_f64<E>(self, _: f64) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_unit<E>(self) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<$type, A::Error> {
                        while values.next_element::<IgnoredAny>()?.is_some() {}
                        Ok(<$type>::default())
                    }

                    $($read)*
                }
                deserializer.deserialize_any(SkippingVisitor)
            }
        }
    };
}

skip_others!(Part {
    fn visit_str<E>(self, _: &str) -> Result<Part, E> {
        Ok(Part::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Part, A::Error> {
        let mut part = Part::default();
        while let Some(name) = members.next_key::<String>()? {
            match &*name {
                "type" => part.r#type = members.next_value()?,
                "text" => part.text = members.next_value()?,
                _ => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(part)
    }
});

skip_others!(TextOrOther {
    fn visit_str<E>(self, text: &str) -> Result<TextOrOther, E> {
        Ok(TextOrOther(Some(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<TextOrOther, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(TextOrOther::default())
    }
});

/// Returns whether an id is valid: 1 to 128 of A-Z, a-z, 0-9, `-` and `_`.
pub(super) fn is_plain_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&id.len()) && id.bytes().all(is_plain)
}
