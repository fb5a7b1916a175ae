//! The agents that reply in a chat. The built-in agent repeats the message, another requests chat completions from a service;
//! more implement [`Agent`].

mod chat_completions;

#[cfg(feature = "otlp")]
pub(crate) use chat_completions::tls;
pub use chat_completions::{ChatCompletions, ChatCompletionsSettings};

use futures_util::stream::{self, BoxStream, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The role of the author.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// The role of the author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The visitor.
    User,
    /// The agent.
    Assistant,
    /// The page that the widget is on.
    System,
}

impl Role {
    /// Returns the name of the role in JSON and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }

    /// Returns the role with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Assistant, Self::System].into_iter().find(|role| role.name() == name)
    }
}

/// A reply, piece by piece while it is written.
pub type Reply = BoxStream<'static, Result<String, AgentError>>;

/// An agent, which replies in conversations.
pub trait Agent: Send + Sync + 'static {
    /// Returns the reply to the last message, which is the visitor's.
    fn reply(&self, messages: Vec<Message>) -> Reply;
}

/// The agent could not reply. The cause is logged and never sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AgentError(pub String);

/// The built-in agent: repeats the message, word by word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Agent for Echo {
    fn reply(&self, mut messages: Vec<Message>) -> Reply {
        let content = messages.pop().map(|message| message.content).unwrap_or_default();
        let words: Vec<_> = content.split_inclusive(' ').map(|word| Ok(word.to_owned())).collect();
        stream::iter(words).boxed()
    }
}

/// The agents of this server, by id.
pub struct Agents {
    by_id: HashMap<String, Arc<dyn Agent>>,
    default_id: String,
}

impl Agents {
    /// The id of the built-in agent.
    pub const ECHO: &str = "echo";

    /// The id of the agent that requests chat completions from a service.
    pub const CHAT_COMPLETIONS: &str = "chat-completions";

    /// Returns only the built-in agent, which replies for apps that name no other.
    #[must_use]
    pub fn built_in() -> Self {
        Self { by_id: HashMap::new(), default_id: Self::ECHO.to_owned() }.with(Self::ECHO, Echo)
    }

    /// Adds an agent, or replaces the agent with the same id.
    #[must_use]
    pub fn with(mut self, id: &str, agent: impl Agent) -> Self {
        self.by_id.insert(id.to_owned(), Arc::new(agent));
        self
    }

    /// Sets the agent that replies for apps that name none.
    #[must_use]
    pub fn with_default(mut self, id: &str) -> Self {
        id.clone_into(&mut self.default_id);
        self
    }

    /// Returns the agent with this id, or the default agent, and its id.
    pub(crate) fn find<'a>(&'a self, id: Option<&'a str>) -> Option<(&'a str, &'a Arc<dyn Agent>)> {
        let id = id.unwrap_or(&self.default_id);
        self.by_id.get(id).map(|agent| (id, agent))
    }
}
