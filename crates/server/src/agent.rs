//! Who answers in a chat. The built-in agent repeats what it is told; others implement [`Agent`].

use futures_util::stream::{self, BoxStream, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// Who says a message.
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

/// An answer as it is written, piece by piece.
pub type Reply = BoxStream<'static, Result<String, AgentError>>;

/// Answers a conversation.
pub trait Agent: Send + Sync + 'static {
    /// The answer to the last message, which is the visitor's.
    fn reply(&self, messages: Vec<Message>) -> Reply;
}

/// The agent could not answer. The cause is logged and never sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AgentError(pub String);

/// The built-in agent: says again what it was told, word by word.
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
}

impl Agents {
    /// The id of the built-in agent, which answers for apps that name no other.
    pub const ECHO: &str = "echo";

    /// The built-in agent alone.
    #[must_use]
    pub fn built_in() -> Self {
        Self { by_id: HashMap::new() }.with(Self::ECHO, Echo)
    }

    /// These agents and one more, which takes the place of one with the same id.
    #[must_use]
    pub fn with(mut self, id: &str, agent: impl Agent) -> Self {
        self.by_id.insert(id.to_owned(), Arc::new(agent));
        self
    }

    pub(crate) fn find(&self, id: Option<&str>) -> Option<&Arc<dyn Agent>> {
        self.by_id.get(id.unwrap_or(Self::ECHO))
    }
}
