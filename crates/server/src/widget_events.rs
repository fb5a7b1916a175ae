//! The reports of widgets: events, and feedback on answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The maximum number of events of a visitor in [`EVENT_WINDOW_MILLISECONDS`]; a long conversation causes a hundred.
pub(crate) const MAX_EVENTS_PER_VISITOR: u32 = 1000;

/// 24 hours.
pub(crate) const EVENT_WINDOW_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

/// The maximum number of entries of feedback of a conversation: one for each message.
pub(crate) const MAX_FEEDBACK_PER_CONVERSATION: u32 = 1000;

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
    #[schema(value_type = Option<serde_json::Value>)]
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
