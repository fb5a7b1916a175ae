//! Messages as clients send them.

use crate::store::storable;
use crate::{Error, Message, Role};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use utoipa::ToSchema;

/// A message of a chat: its text is in `content`, or in `parts`.
#[derive(Deserialize, ToSchema)]
pub(super) struct MessageInput {
    /// The id that the client chose, 1 to 128 of A-Z, a-z, 0-9, `-` and `_`; the server replaces any other.
    #[schema(value_type = Option<Value>)]
    id: Option<Value>,
    /// Who says it. Of a visitor's messages only those of `user` count.
    #[schema(value_type = Role)]
    role: Sender,
    /// What is said: a text, or parts as in `parts`.
    #[schema(value_type = Option<Content>)]
    content: Option<Content>,
    /// What is said, in parts: those of type `text` are joined, others are ignored. Read if there is no `content`.
    #[schema(value_type = Option<Vec<Value>>)]
    parts: Option<Vec<Value>>,
}

/// The `role` of a message.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
enum Sender {
    Known(Role),
    /// A role of another service, such as `tool` or `developer`.
    Unknown(IgnoredAny),
}

/// The `content` of a message.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Value>),
}

/// A message that a client sent, checked.
#[derive(Clone)]
pub(super) struct ReceivedMessage {
    /// The client's id, if it is one that the server can keep.
    pub(super) id: Option<String>,
    pub(super) message: Message,
}

/// Reads the messages of a request. Of a visitor's, all but the last are ignored that are not of the role `user`: only
/// the operator writes a system prompt, and only the agent its own turns.
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
                let problem = "is required, or `parts`";
                return Err(Error::field(format!("messages[{index}].content"), problem));
            }
            (Some(Content::Text(text)), _) if !text.is_empty() => text,
            (Some(Content::Parts(parts)), _) if !parts.is_empty() => joined(&parts),
            (_, parts) => joined(&parts.unwrap_or_default()),
        };
        let id = self.id.as_ref().and_then(Value::as_str).filter(|id| is_plain_id(id)).map(str::to_owned);
        Ok(ReceivedMessage { id, message: Message { role, content: storable(content).into_owned() } })
    }
}

/// The text of the parts of type `text`. Widgets may send any other part beside them.
fn joined(parts: &[Value]) -> String {
    parts.iter().filter(|part| part["type"] == "text").filter_map(|part| part["text"].as_str()).collect()
}

/// Whether an id can be kept: 1 to 128 of A-Z, a-z, 0-9, `-` and `_`.
pub(super) fn is_plain_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&id.len()) && id.bytes().all(is_plain)
}
