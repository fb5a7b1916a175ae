use crate::{Message, Role};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The maximum number of characters of a title.
const TITLE_CHARACTERS: usize = 80;

/// The title of a conversation that begins without a text, such as with a file.
const UNTITLED: &str = "Untitled";

/// The owner of conversations: one user of one app. With an API key, which has no users, both ids are that of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// The id of the app or the API key.
    pub(crate) client_id: String,
    /// The token's `sub`, or the API key's id.
    pub(crate) user_id: String,
}

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation {
    /// The id that the server generated or the client chose.
    pub(crate) id: String,
    /// The id of the agent that replies.
    pub(crate) agent_id: String,
    /// The beginning of the visitor's first message.
    pub(crate) title: String,
    /// The time when the conversation began.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// The time when the last message was stored.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    #[serde(skip)]
    pub(crate) user_id: String,
    #[serde(skip)]
    pub(crate) message_count: u64,
    /// The size of the messages as JSON, in bytes.
    #[serde(skip)]
    pub(crate) encoded_bytes: u64,
}

/// A message of a conversation, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptMessage {
    pub(crate) id: String,
    /// The role of the author.
    pub(crate) role: Role,
    /// The text.
    pub(crate) content: String,
    /// The time when the message was stored.
    pub(crate) created_at: Timestamp,
}

/// The messages that are added to a conversation at once: the visitor's message and the agent's reply.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) conversation_id: String,
    pub(crate) agent_id: String,
    /// The title, if the conversation begins here.
    pub(crate) title: String,
    pub(crate) messages: Vec<NewMessage>,
    /// Whether the turn creates the conversation. A conversation that was deleted after the question arrived is not created
    /// again.
    pub(crate) begins: bool,
    /// The time when the question arrived.
    pub(crate) asked_at: Timestamp,
    /// The time when the messages were complete.
    pub(crate) at: Timestamp,
}

/// A message of a turn.
#[derive(Clone, Debug)]
pub(crate) struct NewMessage {
    pub(crate) id: String,
    /// Replaces an id that the client chose if the conversation already has it: a client that sends a message again uses
    /// the same id.
    pub(crate) spare_id: Option<String>,
    pub(crate) message: Message,
}

/// The result of storing a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnOutcome {
    /// The turn is stored.
    Stored,
    /// The conversation belongs to another user.
    OtherUser,
    /// The conversation is full.
    Full,
    /// The app or the API key was deleted meanwhile.
    ClientDeleted,
    /// The conversation was deleted, or its visitor erased, meanwhile.
    Deleted,
}

impl Turn {
    /// Returns the size of the turn's messages in the JSON of a response, in bytes.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.messages.iter().map(|new| MESSAGE_OVERHEAD + encoded_bytes(&new.message.content)).sum()
    }
}

/// The size of the members of a message without its content, in bytes of JSON.
const MESSAGE_OVERHEAD: usize = 256;

/// Returns the size of a text in JSON, without the quotes, in bytes. One control character becomes six.
pub(crate) fn encoded_bytes(content: &str) -> usize {
    let size = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    content.bytes().map(size).sum::<usize>()
}

/// Returns the title of a conversation that begins with these messages: the first line of the visitor's first message.
pub(crate) fn title<'a>(messages: impl IntoIterator<Item = &'a Message>) -> String {
    let first = messages.into_iter().find(|message| message.role == Role::User);
    let content = first.map_or("", |message| message.content.trim());
    let line = content.lines().next().unwrap_or(UNTITLED);
    if line.chars().count() <= TITLE_CHARACTERS {
        return line.to_owned();
    }
    line.chars().take(TITLE_CHARACTERS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::encoded_bytes;

    #[test]
    fn the_encoded_size_is_that_of_the_json() {
        for text in ["", "plain", "é😀", "\u{1}\u{1f}\u{7f}", "\"\\/\n\r\t\u{8}\u{c}", "\u{0}"] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(encoded_bytes(text), json.len() - 2, "{json}");
        }
    }
}
