//! The context that an agent receives: the operator's prompt, and as much of the conversation as the budget allows.

use crate::{Error, Message, Role, defaults};

/// The approximate number of tokens that services add to each message.
const TOKENS_PER_MESSAGE: usize = 4;

/// The maximum size of a conversation that an agent receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextBudget {
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens, estimated: four ASCII characters are one token, and each other character is one token.
    pub tokens: usize,
}

impl Default for ContextBudget {
    /// Returns a budget that is large enough for the longest message in every script.
    fn default() -> Self {
        Self { bytes: defaults::AGENT_CONTEXT_BYTES, tokens: defaults::AGENT_CONTEXT_TOKENS }
    }
}

/// Returns the text about a signed-in user that an agent receives. `claims` is JSON, so a text in it cannot look like an
/// instruction outside of it.
pub(crate) fn describe_claims(claims: &str) -> String {
    format!("The user is signed in. Verified claims about the user, as JSON: {claims}")
}

/// Returns the operator's prompts as one system message, then the latest messages that the budget allows, at least the
/// last one.
///
/// # Errors
///
/// If the last message and the prompts exceed the budget.
pub(crate) fn assemble(
    prompts: [Option<&str>; 3],
    mut messages: Vec<Message>,
    budget: ContextBudget,
) -> Result<Vec<Message>, Error> {
    let prompts: Vec<&str> = prompts.into_iter().flatten().collect();
    let prompt = (!prompts.is_empty()).then(|| Message { role: Role::System, content: prompts.join("\n\n") });
    let mut bytes = prompt.as_ref().map_or(0, |prompt| prompt.content.len());
    let mut tokens = prompt.as_ref().map_or(0, estimated_tokens);
    let mut start = messages.len();
    while start > 0 {
        let message = &messages[start - 1];
        bytes += message.content.len();
        tokens += estimated_tokens(message);
        if bytes > budget.bytes || tokens > budget.tokens {
            break;
        }
        start -= 1;
    }
    if start == messages.len() && start > 0 {
        return Err(Error::field("messages", "the last message is too long for the agent"));
    }
    messages.drain(..start);
    messages.splice(0..0, prompt);
    Ok(messages)
}

/// Returns the estimated tokens of messages.
pub(crate) fn tokens_of(messages: &[Message]) -> u64 {
    messages.iter().map(|message| estimated_tokens(message) as u64).sum()
}

fn estimated_tokens(message: &Message) -> usize {
    let mut count = TokenCount::default();
    count.add(&message.content);
    TOKENS_PER_MESSAGE + count.estimate()
}

/// Estimates the tokens of a text in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokenCount {
    ascii: usize,
    others: usize,
}

impl TokenCount {
    pub(crate) fn add(&mut self, piece: &str) {
        let ascii = piece.bytes().filter(u8::is_ascii).count();
        self.ascii += ascii;
        self.others += piece.chars().count() - ascii;
    }

    pub(crate) fn tokens(self) -> u64 {
        self.estimate() as u64
    }

    fn estimate(self) -> usize {
        self.ascii.div_ceil(4) + self.others
    }
}

#[cfg(test)]
mod tests {
    use super::{ContextBudget, assemble, estimated_tokens};
    use crate::{Message, Role};

    fn user(content: &str) -> Message {
        Message { role: Role::User, content: content.to_owned() }
    }

    fn contents(messages: &[Message]) -> Vec<&str> {
        messages.iter().map(|message| &*message.content).collect()
    }

    #[test]
    fn the_oldest_messages_are_left_out() {
        let messages = vec![user("12345678"), user("abcdefgh"), user("x")];
        let with = |bytes, tokens| {
            let budget = ContextBudget { bytes, tokens };
            assemble([Some("p"), None, None], messages.clone(), budget).map(|messages| {
                assert_eq!(messages[0].role, Role::System);
                contents(&messages).join("|")
            })
        };
        assert_eq!(with(18, 100).unwrap(), "p|12345678|abcdefgh|x");
        assert_eq!(with(17, 100).unwrap(), "p|abcdefgh|x");
        assert_eq!(with(2, 100).unwrap(), "p|x");
        assert!(with(1, 100).is_err());
        assert_eq!(with(100, 22).unwrap(), "p|12345678|abcdefgh|x");
        assert_eq!(with(100, 21).unwrap(), "p|abcdefgh|x");
        assert!(with(100, 9).is_err());
    }

    #[test]
    fn prompts_are_one_message() {
        let budget = ContextBudget::default();
        let both = assemble([Some("server"), Some("app"), Some("user")], vec![user("x")], budget).unwrap();
        assert_eq!(contents(&both), ["server\n\napp\n\nuser", "x"]);
        let none = assemble([None, None, None], vec![user("x")], budget).unwrap();
        assert_eq!(contents(&none), ["x"]);
    }

    #[test]
    fn tokens_are_estimated_by_script() {
        assert_eq!(estimated_tokens(&user("12345")), 4 + 2);
        assert_eq!(estimated_tokens(&user("日本語")), 4 + 3);
        assert_eq!(estimated_tokens(&user("")), 4);
    }
}
