//! The reports of widgets: events, and feedback on answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The maximum number of events of a visitor in [`EVENT_WINDOW_MILLISECONDS`]; a long conversation causes a hundred.
pub(crate) const MAX_EVENTS_PER_VISITOR: u32 = 1000;

/// 24 hours.
pub(crate) const EVENT_WINDOW_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

/// The maximum number of entries of feedback of a conversation: one for each message.
pub(crate) const MAX_FEEDBACK_PER_CONVERSATION: u32 = 1000;

/// The maximum number of characters of a text in the data of an event or of feedback. Longer texts are cut: widgets send
/// complete answers, which are already in the conversation.
const MAX_TEXT_CHARACTERS: usize = 4000;

/// An event as it is stored.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WidgetEvent {
    /// The id that the client chose, or the server's.
    pub(crate) id: String,
    /// The app or the API key.
    pub(crate) client_id: String,
    /// The token's `sub`, or the API key's id.
    pub(crate) user_id: String,
    /// The type, such as `user_message_submitted`.
    pub(crate) r#type: String,
    /// The conversation that the event names, which need not exist.
    pub(crate) conversation_id: Option<String>,
    /// The message that the event names, which need not exist.
    pub(crate) message_id: Option<String>,
    #[serde(flatten)]
    pub(crate) data: EventData,
    /// The time when the server received the event.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}

/// The data of an event, as JSON: a parsed value takes many times the memory of its text.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventData {
    /// Properties that the page's owner adds to every event.
    #[schema(value_type = Option<Object>)]
    pub(crate) properties: Option<Box<RawValue>>,
    /// Properties of the user, from the page's owner. They are not verified.
    #[schema(value_type = Option<Object>)]
    pub(crate) user_properties: Option<Box<RawValue>>,
    /// Properties of the event, from the widget.
    #[schema(value_type = Option<Object>)]
    pub(crate) metadata: Option<Box<RawValue>>,
}

/// Feedback as it is stored: the last one of a visitor on a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Feedback {
    pub(crate) id: String,
    /// The app or the API key.
    pub(crate) client_id: String,
    /// The token's `sub`, or the API key's id.
    pub(crate) user_id: String,
    /// The visitor's conversation.
    pub(crate) conversation_id: String,
    /// The message that the client names; if absent, the feedback is on the whole conversation.
    pub(crate) message_id: Option<String>,
    pub(crate) r#type: FeedbackType,
    /// Details from the visitor.
    #[schema(value_type = Option<Value>)]
    pub(crate) details: Option<Box<RawValue>>,
    /// The time of the visitor's first feedback on the message.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// The time of the visitor's last feedback on the message.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
}

/// Thumbs up, or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FeedbackType {
    Positive,
    Negative,
}

impl FeedbackType {
    /// Returns the name in JSON and in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Positive, Self::Negative].into_iter().find(|feedback| feedback.name() == name)
    }
}

/// Cuts the long texts in a value.
pub(crate) fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((index, _)) = text.char_indices().nth(MAX_TEXT_CHARACTERS) {
                text.truncate(index);
                text.push('…');
            }
        }
        Value::Array(values) => values.iter_mut().for_each(cut_texts),
        Value::Object(members) => members.values_mut().for_each(cut_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT_CHARACTERS, cut_texts};
    use serde_json::json;

    #[test]
    fn only_long_texts_are_cut() {
        let fits = "é".repeat(MAX_TEXT_CHARACTERS);
        let long = format!("{fits}x");
        let mut value = json!({ "a": [fits, long, 1], "b": { "c": long }, "d": null });
        cut_texts(&mut value);
        let cut = format!("{fits}…");
        assert_eq!(value, json!({ "a": [fits, cut, 1], "b": { "c": cut }, "d": null }));
    }
}
