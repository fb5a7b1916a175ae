//! The reply of both chat endpoints: sends a conversation to its agent, and stores the question and the reply.

use super::auth::Caller;
use super::messages::{ReceivedMessage, is_plain_id};
use super::reply_meter::ReplyMeter;
use crate::context;
use crate::conversations::{KeptMessage, NewMessage, Turn, TurnOutcome, Visitor, encoded_bytes, title};
use crate::limits::ReplyCharge;
use crate::metrics::ReplyOutcome;
use crate::store::PageRequest;
use crate::{AgentError, AppState, Error, Message, Reply, Role};
use axum::http::{HeaderMap, HeaderName};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tracing::{Instrument, Span};

/// The header with the conversation's id, which a client receives before the first word of the agent's reply.
pub(super) const CONVERSATION_ID: HeaderName = HeaderName::from_static("x-conversation-id");

/// Disables the buffer of nginx for the events of a stream.
pub(super) const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// The maximum number of messages of a conversation, so that it can be read in one piece.
pub(super) const MAX_MESSAGES: usize = 1000;

/// The maximum size of a conversation to which messages can be added, in bytes of JSON, for the same reason: many
/// connections may read it at once, and a response has each text twice.
const MAX_CONVERSATION_BYTES: u64 = 2 * 1024 * 1024;

/// The maximum number of earlier messages that an agent receives.
const CONTEXT_MESSAGES: u32 = 200;

/// The maximum number of characters of one message.
pub(super) const MAX_CHARACTERS: usize = 100_000;

/// The maximum size of an agent's reply, in bytes of JSON.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The time that a client waits for the removal of a conversation whose first reply failed.
const REMOVAL_TIME_LIMIT: Duration = Duration::from_secs(3);

/// The question of the caller.
pub(super) struct Question {
    /// All messages of a new conversation; in an existing one, only the last message is new.
    pub(super) messages: Vec<ReceivedMessage>,
    /// `None` or an empty text for a new conversation whose id the server chooses.
    pub(super) conversation_id: Option<String>,
}

/// The agent's reply, which is written while it is read.
pub(super) struct Answer {
    /// The id of the message.
    pub(super) id: String,
    pub(super) conversation_id: String,
    /// If it is dropped before it is complete, the agent stops, and the text until then is stored.
    writing: Writing,
}

impl Answer {
    /// Checks the question and starts the agent.
    pub(super) async fn begin(
        state: &AppState,
        caller: Caller,
        headers: &HeaderMap,
        question: Question,
    ) -> Result<Self, Error> {
        let Question { mut messages, conversation_id } = question;
        check(&messages)?;
        let new_id = |kind: &str| state.random.uuid().map(|id| format!("{kind}_{id}")).map_err(Error::Random);
        let conversation_id = match conversation_id.filter(|id| !id.is_empty()) {
            Some(id) => plain_id(id)?,
            None => new_id("conv")?,
        };
        let (agent_id, agent) = state.agents.find(caller.agent_id.as_deref()).ok_or(Error::AgentNotFound)?;
        let earlier = earlier(state, &caller.visitor, &conversation_id).await?;
        let title = title(messages.iter().map(|received| &received.message));
        let (is_new, asked_at) = (earlier.is_none(), state.clock.now());
        let mut context = Vec::new();
        if let Some(earlier) = earlier {
            // The server uses the stored messages, and ignores the client's copy.
            messages.drain(..messages.len() - 1);
            context
                .extend(earlier.into_iter().map(|kept| Message { role: kept.role, content: kept.content }));
        }
        context.extend(messages.iter().map(|received| received.message.clone()));
        let claims = caller.user_claims.as_deref().map(context::describe_claims);
        let prompts = [state.settings.agent_prompt.as_deref(), caller.prompt.as_deref(), claims.as_deref()];
        let context = context::assemble(prompts, context, state.settings.context_budget)?;
        let mut ids = HashSet::new();
        let messages = messages.into_iter().map(|ReceivedMessage { id, message }| {
            let generated = new_id("msg")?;
            Ok(match id.filter(|id| ids.insert(id.clone())) {
                Some(id) => NewMessage { id, spare_id: Some(generated), message },
                None => NewMessage { id: generated, spare_id: None, message },
            })
        });
        let mut turn = Turn {
            conversation_id: conversation_id.clone(),
            agent_id: agent_id.to_owned(),
            title,
            messages: messages.collect::<Result<_, Error>>()?,
            begins: is_new,
            asked_at,
            at: asked_at,
        };
        let id = new_id("msg")?;
        let message = Message { role: Role::Assistant, content: String::new() };
        turn.messages.push(NewMessage { id: id.clone(), spare_id: None, message });
        if turn.encoded_bytes() as u64 > MAX_CONVERSATION_BYTES {
            let problem = format!("must have at most {MAX_CONVERSATION_BYTES} bytes of JSON together");
            return Err(Error::field("messages", problem));
        }
        // Before the quotas: a message without a solution uses none.
        caller.require_solution(state, headers).await?;
        let charge = match caller.quotas.clone() {
            Some((subjects, report)) => {
                let tokens = context::tokens_of(&context);
                let bytes = turn.encoded_bytes() as u64;
                let limits = state.limits.clone();
                Some(ReplyCharge::begin(limits, subjects, tokens, bytes, &report).await?)
            }
            None => None,
        };
        let (mut max_encoded_bytes, mut first_messages) = (MAX_CONVERSATION_BYTES, None);
        if is_new {
            // Widgets read the list of conversations once, when one begins: its first question must be stored by then.
            // The limit leaves enough space for the reply, however long the question is.
            let answer = turn.messages.split_off(turn.messages.len() - 1);
            store(state, &caller.visitor, &turn, max_encoded_bytes).await?;
            max_encoded_bytes += turn.encoded_bytes() as u64;
            first_messages = Some(turn.messages.len());
            (turn.messages, turn.begins) = (answer, false);
        }
        let writing = Writing {
            meter: ReplyMeter::start(state, &turn.agent_id),
            reply: agent.reply(context),
            turn,
            answer_bytes: 0,
            max_encoded_bytes,
            first_messages,
            is_over: false,
            charge,
            time_limit: Box::pin(tokio::time::sleep(state.settings.agent_timeout)),
            visitor: caller.visitor,
            state: state.clone(),
        };
        Ok(Self { id, conversation_id, writing })
    }

    /// Returns the pieces of the reply. The reply is stored before the stream ends. An error is the last item.
    pub(super) fn pieces(self) -> impl Stream<Item = Result<String, Arc<Error>>> {
        // The stream is read after the handler has returned: its log lines must still belong to the request.
        let span = Span::current();
        stream::try_unfold(Some(self.writing), move |writing| {
            async {
                let Some(mut writing) = writing else {
                    return Ok(None);
                };
                match writing.next().await {
                    Ok(Some(piece)) => Ok(Some((piece, Some(writing)))),
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            .instrument(span.clone())
        })
        .map_err(Arc::new)
    }

    /// Returns the complete reply.
    pub(super) async fn whole(mut self) -> Result<Message, Error> {
        while self.writing.next().await?.is_some() {}
        let NewMessage { message, .. } =
            self.writing.turn.messages.pop().expect("the answer is the turn's last message");
        Ok(message)
    }
}

/// A reply that is not complete yet.
struct Writing {
    meter: ReplyMeter,
    reply: Reply,
    /// The turn. Its last message is the reply so far.
    turn: Turn,
    /// The size of the reply so far, in bytes of JSON.
    answer_bytes: usize,
    /// The size of a conversation at which the turn is not added, in bytes of JSON.
    max_encoded_bytes: u64,
    /// The number of messages of a conversation that begins with this turn. They are already stored.
    first_messages: Option<usize>,
    /// Whether the reply is complete, or has failed.
    is_over: bool,
    /// The use of quotas by the response.
    charge: Option<ReplyCharge>,
    time_limit: Pin<Box<Sleep>>,
    visitor: Visitor,
    state: AppState,
}

impl Writing {
    /// Returns the next piece, or `None` when the reply is complete and stored.
    async fn next(&mut self) -> Result<Option<String>, Error> {
        let next = self.next_piece().await;
        let outcome = match &next {
            Ok(Some(_)) => {
                self.meter.note_piece();
                return next;
            }
            Ok(None) => ReplyOutcome::Answered,
            Err(_) => ReplyOutcome::Failed,
        };
        self.is_over = true;
        self.meter.end(outcome);
        if let (Err(_), Some(count)) = (&next, self.first_messages) {
            // The client waits for a limited time, since the database may have failed.
            let _ = tokio::time::timeout(REMOVAL_TIME_LIMIT, self.remove_conversation(count)).await;
        }
        next
    }

    /// Removes the conversation, which has only its first messages, in the background.
    fn remove_conversation(&self, first_messages: usize) -> JoinHandle<()> {
        let (state, visitor, id) =
            (self.state.clone(), self.visitor.clone(), self.turn.conversation_id.clone());
        let remove = async move { remove_conversation(&state, &visitor, &id, first_messages).await };
        tokio::spawn(remove.instrument(Span::current()))
    }

    async fn next_piece(&mut self) -> Result<Option<String>, Error> {
        let piece = tokio::select! {
            piece = self.reply.next() => piece,
            () = &mut self.time_limit => return Err(Error::TimedOut),
        };
        let NewMessage { message: answer, .. } =
            self.turn.messages.last_mut().expect("the answer is the turn's last message");
        if let Some(piece) = piece {
            let piece = piece?;
            self.answer_bytes += encoded_bytes(&piece);
            if self.answer_bytes > MAX_ANSWER_BYTES {
                return Err(AgentError("the reply is too long".to_owned()).into());
            }
            if let Some(charge) = &mut self.charge {
                charge.count(&piece);
            }
            answer.content.push_str(&piece);
            return Ok(Some(piece));
        }
        self.turn.at = self.state.clock.now();
        self.store().await?;
        Ok(None)
    }
}

impl Writing {
    /// Stores the turn, once: a client that leaves during the transaction does not stop it.
    async fn store(&mut self) -> Result<(), Error> {
        self.is_over = true;
        if let Some(charge) = &mut self.charge {
            charge.note_stored(self.answer_bytes as u64);
        }
        let (state, visitor, turn) = (self.state.clone(), self.visitor.clone(), self.turn.clone());
        let max_encoded_bytes = self.max_encoded_bytes;
        let first_messages = self.first_messages;
        let (sender, receiver) = oneshot::channel();
        let write = async move {
            let stored = store(&state, &visitor, &turn, max_encoded_bytes).await;
            // The client has left.
            if let Err(Err(error)) = sender.send(stored) {
                tracing::warn!(%error, "could not store a reply whose client left");
                if let Some(count) = first_messages {
                    remove_conversation(&state, &visitor, &turn.conversation_id, count).await;
                }
            }
        };
        tokio::spawn(self.state.pending_writes.track_future(write.instrument(Span::current())));
        let panicked = || Error::Panic("the task that stores a reply ended".to_owned());
        let stored = receiver.await.unwrap_or_else(|_| Err(panicked()));
        if let (Err(_), Some(charge)) = (&stored, &mut self.charge) {
            charge.note_stored(0);
        }
        stored
    }
}

impl Drop for Writing {
    /// Stores the question and the reply so far: the visitor stopped the reply, or left the page.
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        let (false, Ok(runtime)) = (self.is_over, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let mut turn = self.turn.clone();
        turn.at = self.state.clock.now();
        if self.answer_bytes == 0 {
            turn.messages.pop();
        }
        if turn.messages.is_empty() {
            return;
        }
        if let Some(charge) = &mut self.charge {
            charge.note_stored(self.answer_bytes as u64);
        }
        let (state, visitor, max_encoded_bytes) =
            (self.state.clone(), self.visitor.clone(), self.max_encoded_bytes);
        let keep = async move {
            if let Err(error) = state.store.add_turn(&visitor, &turn, max_encoded_bytes).await {
                tracing::warn!(%error, "could not store a reply that was stopped");
            }
        };
        let keep = self.state.pending_writes.track_future(keep.instrument(Span::current()));
        runtime.spawn(keep);
    }
}

/// Removes a conversation that has only its first messages.
async fn remove_conversation(state: &AppState, visitor: &Visitor, id: &str, first_messages: usize) {
    let removed = state.store.delete_conversation_without_reply(visitor, id, first_messages);
    if let Err(error) = removed.await {
        tracing::warn!(%error, "could not remove a conversation whose first reply failed");
    }
}

/// Stores a turn. The id was free when it was checked, but another request may have used it since.
async fn store(
    state: &AppState,
    visitor: &Visitor,
    turn: &Turn,
    max_encoded_bytes: u64,
) -> Result<(), Error> {
    match state.store.add_turn(visitor, turn, max_encoded_bytes).await? {
        TurnOutcome::Stored => Ok(()),
        TurnOutcome::OtherUser | TurnOutcome::Deleted => Err(Error::ConversationNotFound),
        TurnOutcome::Full => Err(Error::ConversationFull),
        TurnOutcome::ClientDeleted => Err(Error::AppNotFound),
    }
}

/// Returns the earlier messages of the conversation, or `None` if it is new.
async fn earlier(state: &AppState, visitor: &Visitor, id: &str) -> Result<Option<Vec<KeptMessage>>, Error> {
    let Some(conversation) = state.store.find_conversation(&visitor.client_id, id).await? else {
        return Ok(None);
    };
    if conversation.user_id != visitor.user_id {
        return Err(Error::ConversationNotFound);
    }
    if conversation.message_count + 2 > MAX_MESSAGES as u64
        || conversation.encoded_bytes >= MAX_CONVERSATION_BYTES
    {
        return Err(Error::ConversationFull);
    }
    let page = PageRequest { page: 1, limit: CONTEXT_MESSAGES };
    let messages = state.store.messages(&visitor.client_id, id, page).await?;
    Ok(Some(messages))
}

fn check(messages: &[ReceivedMessage]) -> Result<(), Error> {
    if messages.last().is_none_or(|last| last.message.role != Role::User) {
        return Err(Error::field("messages", "must end with a message whose role is `user`"));
    }
    if messages.len() >= MAX_MESSAGES {
        return Err(Error::field("messages", format!("must have fewer than {MAX_MESSAGES} entries")));
    }
    for (index, ReceivedMessage { message: Message { content, .. }, .. }) in messages.iter().enumerate() {
        let field = || format!("messages[{index}].content");
        if content.chars().count() > MAX_CHARACTERS {
            return Err(Error::field(field(), format!("must have at most {MAX_CHARACTERS} characters")));
        }
    }
    Ok(())
}

/// Checks an id that a client chose, or that this server returned before.
fn plain_id(id: String) -> Result<String, Error> {
    if is_plain_id(&id) {
        Ok(id)
    } else {
        Err(Error::field("conversationId", "must have 1 to 128 of A-Z, a-z, 0-9, `-` and `_`"))
    }
}
