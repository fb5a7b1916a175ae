//! The messages of a conversation as a body that is written in parts: if a client does not read it, only one part is in
//! memory.

use super::conversations::StoredMessage;
use crate::store::{MessageBatch, Store};
use crate::{Error, StoreError};
use axum::body::{Body, Bytes};
use futures_util::stream::{self, Stream, StreamExt};
use std::collections::VecDeque;
use std::time::Duration;

/// How long the database may take to return a part of a body.
const READ_TIME: Duration = Duration::from_secs(10);

/// The parts that are not written yet.
struct Rest {
    store: Store,
    client_id: String,
    conversation_id: String,
    batches: VecDeque<MessageBatch>,
    is_first: bool,
}

/// Returns a body of JSON: `before`, the messages of the batches with commas between them, and `after`. The first batch
/// is read at once, so that an error of the database is a status and not an incomplete body.
pub(super) async fn body(
    store: &Store,
    client_id: &str,
    conversation_id: &str,
    batches: Vec<MessageBatch>,
    [before, after]: [String; 2],
) -> Result<Body, Error> {
    let mut rest = Rest {
        store: store.clone(),
        client_id: client_id.to_owned(),
        conversation_id: conversation_id.to_owned(),
        batches: batches.into(),
        is_first: true,
    };
    let first = rest.next().await?.unwrap_or_default();
    if rest.batches.is_empty() {
        return Ok(Body::from([before.as_bytes(), &first, after.as_bytes()].concat()));
    }
    let begin = stream::iter([Ok(Bytes::from(before)), Ok(first)]);
    let others = stream::try_unfold(rest, async |mut rest| Ok(rest.next().await?.map(|part| (part, rest))));
    let others = others.inspect(|part: &Result<Bytes, StoreError>| {
        if let Err(error) = part {
            tracing::error!(%error, "could not read the rest of a conversation");
        }
    });
    Ok(Body::from_stream(begin.chain(others).chain(stream::iter([Ok(Bytes::from(after))]))))
}

/// Returns the messages of the batches as JSON, with commas between them.
pub(super) fn parts(
    store: Store,
    client_id: String,
    conversation_id: String,
    batches: Vec<MessageBatch>,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let rest = Rest { store, client_id, conversation_id, batches: batches.into(), is_first: true };
    stream::try_unfold(rest, async |mut rest| Ok(rest.next().await?.map(|part| (part, rest))))
}

impl Rest {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(batch) = self.batches.pop_front() else {
            return Ok(None);
        };
        let messages = self.store.batch(&self.client_id, &self.conversation_id, batch);
        let messages = in_time(messages).await?;
        let mut json = Vec::new();
        for message in &messages {
            if !std::mem::take(&mut self.is_first) {
                json.push(b',');
            }
            serde_json::to_writer(&mut json, &StoredMessage::from(message)).expect("texts are always JSON");
        }
        Ok(Some(json.into()))
    }
}

/// Limits the time of a read of the database for a part of a body: nothing else ends a response that has begun, whose
/// client waits and whose connection to the database others need.
pub(super) async fn in_time<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(READ_TIME, read).await.unwrap_or(Err(StoreError::TimedOut))
}
