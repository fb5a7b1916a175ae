//! Deletes and exports the data of visitors.

use super::conversations::ConversationRow;
use super::{PATIENCE, Store, StoreError, is_storable, on};
use crate::conversations::{Conversation, Visitor};
use jiff::Timestamp;

/// The number of conversations that are deleted between two reads of the remaining ones.
const CONVERSATIONS_PER_ROUND: i64 = 100;

impl Store {
    /// Deletes a conversation with its feedback and events, of any user of the client or of one. Returns whether it existed.
    pub(crate) async fn delete_conversation(
        &self,
        client_id: &str,
        user_id: Option<&str>,
        id: &str,
    ) -> Result<bool, StoreError> {
        if !is_storable(id) {
            return Ok(false);
        }
        self.delete_conversation_before(client_id, user_id, id, i64::MAX, None).await
    }

    /// Deletes a conversation of the visitor if it has only its first `count` messages. Returns whether it was deleted.
    pub(crate) async fn delete_conversation_without_reply(
        &self,
        visitor: &Visitor,
        id: &str,
        count: usize,
    ) -> Result<bool, StoreError> {
        let Visitor { client_id, user_id } = visitor;
        let count = i64::try_from(count).ok();
        let deleted = self.delete_conversation_before(client_id, Some(user_id), id, i64::MAX, count);
        tokio::time::timeout(PATIENCE, deleted).await.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Stores that a visitor is erased now: a reply that is still being written is not stored later. A reply that is being
    /// stored is stored when this function returns.
    pub(crate) async fn note_erasure(&self, visitor: &Visitor, now: Timestamp) -> Result<(), StoreError> {
        const UPSERT: &str = "INSERT INTO erasures (client_id, user_id, erased_at) VALUES ($1, $2, $3) \
            ON CONFLICT (client_id, user_id) DO UPDATE SET erased_at = excluded.erased_at";
        if !is_storable(&visitor.user_id) {
            return Ok(());
        }
        on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            if let Some(lock) = self.locks.erasure_of_visitor {
                let locked = sqlx::query(lock).bind(&visitor.client_id).bind(&visitor.user_id);
                locked.execute(&mut *transaction).await?;
            }
            sqlx::query(UPSERT)
                .bind(&visitor.client_id)
                .bind(&visitor.user_id)
                .bind(now.as_millisecond())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Deletes at most `limit` records of erasures that are older than `time`. Returns the number of deleted records.
    pub(crate) async fn delete_old_erasures(&self, time: Timestamp, limit: u32) -> Result<u64, StoreError> {
        const DELETE: &str = "DELETE FROM erasures WHERE (client_id, user_id) IN \
            (SELECT client_id, user_id FROM erasures WHERE erased_at < $1 LIMIT $2)";
        self.delete_rows_before(DELETE, time, limit).await
    }

    /// Runs a statement that deletes at most `limit` rows that are older than `time`. Returns the number of deleted rows.
    pub(super) async fn delete_rows_before(
        &self,
        statement: &'static str,
        time: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        Ok(on!(self.writer, db => sqlx::query(statement)
            .bind(time.as_millisecond())
            .bind(i64::from(limit))
            .execute(db)
            .await?
            .rows_affected()))
    }

    /// Deletes all conversations of a visitor, one transaction for each. Returns the number of deleted conversations.
    pub(crate) async fn delete_conversations_of_visitor(&self, visitor: &Visitor) -> Result<u64, StoreError> {
        const IDS: &str = "SELECT id FROM conversations WHERE client_id = $1 AND user_id = $2 LIMIT $3";
        let Visitor { client_id, user_id } = visitor;
        if !is_storable(user_id) {
            return Ok(0);
        }
        let mut count = 0;
        loop {
            let ids: Vec<String> = on!(self.writer, db => sqlx::query_scalar(IDS)
                .bind(client_id)
                .bind(user_id)
                .bind(CONVERSATIONS_PER_ROUND)
                .fetch_all(db)
                .await?);
            if ids.is_empty() {
                return Ok(count);
            }
            for id in ids {
                count += u64::from(self.delete_conversation(client_id, Some(user_id), &id).await?);
            }
        }
    }

    /// Deletes at most `limit` conversations whose last message is older than `time`. Returns the number of deleted ones.
    pub(crate) async fn delete_conversations_before(
        &self,
        time: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        const IDS: &str = "SELECT client_id, id FROM conversations WHERE updated_at < $1 LIMIT $2";
        let before = time.as_millisecond();
        let ids: Vec<(String, String)> = on!(self.reader, db => sqlx::query_as(IDS)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?);
        let mut count = 0;
        for (client_id, id) in ids {
            count += u64::from(self.delete_conversation_before(&client_id, None, &id, before, None).await?);
        }
        Ok(count)
    }

    /// Deletes a conversation unless it has a message since `before`, or not `message_count` messages. The conversation is
    /// deleted first: a concurrent turn waits for this transaction, and is not stored.
    async fn delete_conversation_before(
        &self,
        client_id: &str,
        user_id: Option<&str>,
        id: &str,
        before: i64,
        message_count: Option<i64>,
    ) -> Result<bool, StoreError> {
        const CONVERSATION: &str = "DELETE FROM conversations \
            WHERE client_id = $1 AND id = $2 AND ($3 = '' OR user_id = $3) AND updated_at < $4 \
            AND ($5 < 0 OR message_count = $5) RETURNING user_id";
        const CONTENTS: [&str; 2] = [
            "DELETE FROM messages WHERE client_id = $1 AND conversation_id = $2",
            "DELETE FROM feedback WHERE client_id = $1 AND conversation_id = $2",
        ];
        // Others may name the conversation in their events, which stay.
        const EVENTS: &str =
            "DELETE FROM events WHERE client_id = $1 AND conversation_id = $2 AND user_id = $3";
        on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            let user: Option<String> = sqlx::query_scalar(CONVERSATION)
                .bind(client_id)
                .bind(id)
                .bind(user_id.unwrap_or_default())
                .bind(before)
                .bind(message_count.unwrap_or(-1))
                .fetch_optional(&mut *transaction)
                .await?;
            if let Some(user) = &user {
                for delete in CONTENTS {
                    sqlx::query(delete).bind(client_id).bind(id).execute(&mut *transaction).await?;
                }
                sqlx::query(EVENTS).bind(client_id).bind(id).bind(user).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(user.is_some())
        })
    }

    /// Returns the visitor's conversations in the order of their ids, at most `limit` of those after `after`.
    pub(crate) async fn conversations_after(
        &self,
        visitor: &Visitor,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Conversation>, StoreError> {
        const LIST: &str = "SELECT * FROM conversations \
            WHERE client_id = $1 AND user_id = $2 AND id > $3 ORDER BY id LIMIT $4";
        if !is_storable(&visitor.user_id) {
            return Ok(Vec::new());
        }
        let rows: Vec<ConversationRow> = on!(self.reader, db => sqlx::query_as(LIST)
            .bind(&visitor.client_id)
            .bind(&visitor.user_id)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?);
        rows.into_iter().map(Conversation::try_from).collect()
    }
}
