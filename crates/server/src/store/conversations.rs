use super::row::row;
use super::{PATIENCE, Page, PageRequest, Store, StoreError, damaged, is_storable, on, storable, time};
use crate::Role;
use crate::conversations::{Conversation, KeptMessage, Turn, TurnOutcome, Visitor};
use sqlx::QueryBuilder;

row! {
    /// A conversation as it is stored.
    pub(super) struct ConversationRow {
        id: String,
        user_id: String,
        agent_id: String,
        title: String,
        message_count: i64,
        encoded_bytes: i64,
        created_at: i64,
        updated_at: i64,
    }
}

impl TryFrom<ConversationRow> for Conversation {
    type Error = StoreError;

    fn try_from(row: ConversationRow) -> Result<Self, StoreError> {
        Ok(Self {
            agent_id: row.agent_id,
            title: row.title,
            created_at: time(&row.id, row.created_at)?,
            updated_at: time(&row.id, row.updated_at)?,
            user_id: row.user_id,
            message_count: u64::try_from(row.message_count).unwrap_or(0),
            encoded_bytes: u64::try_from(row.encoded_bytes).unwrap_or(0),
            id: row.id,
        })
    }
}

row! {
    /// A message as it is stored.
    struct MessageRow {
        id: String,
        role: String,
        content: String,
        created_at: i64,
    }
}

impl TryFrom<MessageRow> for KeptMessage {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let role = Role::from_name(&row.role).ok_or_else(|| damaged(&row.id, "its role is unknown"))?;
        let created_at = time(&row.id, row.created_at)?;
        Ok(Self { id: row.id, role, content: row.content, created_at })
    }
}

impl Store {
    /// Adds a turn to its conversation in one transaction, and creates the conversation if it does not exist. It waits for
    /// the database for a limited time, since the client receives nothing meanwhile.
    pub(crate) async fn add_turn(
        &self,
        visitor: &Visitor,
        turn: &Turn,
        max_encoded_bytes: u64,
    ) -> Result<TurnOutcome, StoreError> {
        let added = self.add_turn_without_limit(visitor, turn, max_encoded_bytes);
        tokio::time::timeout(PATIENCE, added).await.unwrap_or(Err(StoreError::TimedOut))
    }

    async fn add_turn_without_limit(
        &self,
        visitor: &Visitor,
        turn: &Turn,
        max_encoded_bytes: u64,
    ) -> Result<TurnOutcome, StoreError> {
        // Locks the conversation, so that concurrent turns do not get the same positions.
        const CONVERSATION: &str = "INSERT INTO conversations \
            (client_id, id, user_id, agent_id, title, message_count, encoded_bytes, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
            ON CONFLICT (client_id, id) DO UPDATE \
            SET message_count = conversations.message_count + excluded.message_count, \
                encoded_bytes = conversations.encoded_bytes + excluded.encoded_bytes, \
                updated_at = excluded.updated_at \
            WHERE conversations.user_id = excluded.user_id AND conversations.encoded_bytes < $9 \
            RETURNING message_count";
        // The same parameters, for an existing conversation: it is not created again, and keeps its agent and its title.
        const CONTINUED: &str = "UPDATE conversations \
            SET message_count = message_count + $6, encoded_bytes = encoded_bytes + $7, updated_at = $8 \
            WHERE client_id = $1 AND id = $2 AND user_id = $3 AND encoded_bytes < $9 \
            RETURNING message_count";
        const USER: &str = "SELECT user_id FROM conversations WHERE client_id = $1 AND id = $2";
        const HAS_MESSAGE: &str = "SELECT EXISTS \
            (SELECT 1 FROM messages WHERE client_id = $1 AND conversation_id = $2 AND id = $3)";
        const INSERT_MESSAGES: &str =
            "INSERT INTO messages (client_id, conversation_id, position, id, role, content, created_at) ";
        let count = i64::try_from(turn.messages.len()).unwrap_or(i64::MAX);
        let now = turn.at.as_millisecond();
        on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            let total: Option<i64> = sqlx::query_scalar(if turn.begins { CONVERSATION } else { CONTINUED })
                .bind(&visitor.client_id)
                .bind(&turn.conversation_id)
                .bind(&visitor.user_id)
                .bind(&turn.agent_id)
                .bind(storable(&*turn.title))
                .bind(count)
                .bind(i64::try_from(turn.encoded_bytes()).unwrap_or(i64::MAX))
                .bind(now)
                .bind(i64::try_from(max_encoded_bytes).unwrap_or(i64::MAX))
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(total) = total else {
                let user: Option<String> = sqlx::query_scalar(USER)
                    .bind(&visitor.client_id)
                    .bind(&turn.conversation_id)
                    .fetch_optional(&mut *transaction)
                    .await?;
                return Ok(match user {
                    None => TurnOutcome::Deleted,
                    Some(user) if user == visitor.user_id => TurnOutcome::Full,
                    Some(_) => TurnOutcome::OtherUser,
                });
            };
            // After the first write: SQLite has locked its file by then, and PostgreSQL locks the row, so that the app
            // is not deleted before this transaction ends.
            let mut client_exists = false;
            for lock in self.locks.client {
                let found = sqlx::query(lock).bind(&visitor.client_id).fetch_optional(&mut *transaction);
                client_exists |= found.await?.is_some();
            }
            if !client_exists {
                return Ok(TurnOutcome::ClientDeleted);
            }
            // An erasure that begins from here on waits for this transaction, and deletes what it stored.
            if let Some(lock) = self.locks.turn_of_visitor {
                let locked = sqlx::query(lock).bind(&visitor.client_id).bind(&visitor.user_id);
                locked.execute(&mut *transaction).await?;
            }
            let is_erased: bool = sqlx::query_scalar(super::ERASED)
                .bind(&visitor.client_id)
                .bind(&visitor.user_id)
                .bind(turn.asked_at.as_millisecond())
                .fetch_one(&mut *transaction)
                .await?;
            if is_erased {
                return Ok(TurnOutcome::Deleted);
            }
            let mut rows = Vec::new();
            for (position, new) in (total - count..).zip(&turn.messages) {
                let mut id = &new.id;
                // In a turn that begins a conversation, all ids are distinct.
                if total > count && let Some(spare_id) = &new.spare_id {
                    let is_taken: bool = sqlx::query_scalar(HAS_MESSAGE)
                        .bind(&visitor.client_id)
                        .bind(&turn.conversation_id)
                        .bind(id)
                        .fetch_one(&mut *transaction)
                        .await?;
                    if is_taken {
                        id = spare_id;
                    }
                }
                rows.push((position, id, &new.message));
            }
            for rows in rows.chunks(MESSAGES_PER_STATEMENT) {
                let mut insert = QueryBuilder::new(INSERT_MESSAGES);
                insert.push_values(rows, |mut row, (position, id, message)| {
                    row.push_bind(&visitor.client_id)
                        .push_bind(&turn.conversation_id)
                        .push_bind(position)
                        .push_bind(id)
                        .push_bind(message.role.name())
                        .push_bind(storable(&*message.content))
                        .push_bind(now);
                });
                insert.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(TurnOutcome::Stored)
        })
    }

    /// Returns the conversation with this id, of any user of the app.
    pub(crate) async fn find_conversation(
        &self,
        client_id: &str,
        id: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        const FIND: &str = "SELECT * FROM conversations WHERE client_id = $1 AND id = $2";
        if !is_storable(id) {
            return Ok(None);
        }
        let row: Option<ConversationRow> = on!(self.reader, db =>
            sqlx::query_as(FIND).bind(client_id).bind(id).fetch_optional(db).await?);
        row.map(Conversation::try_from).transpose()
    }

    /// Returns a page of the messages of a conversation. Page 1 has the newest messages; on each page the oldest is first.
    pub(crate) async fn messages(
        &self,
        client_id: &str,
        conversation_id: &str,
        page: PageRequest,
    ) -> Result<Vec<KeptMessage>, StoreError> {
        const LAST: &str = "SELECT id, role, content, created_at FROM messages \
            WHERE client_id = $1 AND conversation_id = $2 ORDER BY position DESC LIMIT $3 OFFSET $4";
        let rows: Vec<MessageRow> = on!(self.reader, db => sqlx::query_as(LAST)
            .bind(client_id)
            .bind(conversation_id)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(db)
            .await?);
        rows.into_iter().rev().map(KeptMessage::try_from).collect()
    }

    /// Divides a page of the messages of a conversation into batches, the oldest first. Each batch is read at once.
    pub(crate) async fn message_batches(
        &self,
        client_id: &str,
        conversation_id: &str,
        page: PageRequest,
    ) -> Result<Vec<MessageBatch>, StoreError> {
        const SIZES: &str = "SELECT position, CAST(LENGTH(content) AS BIGINT) FROM messages \
            WHERE client_id = $1 AND conversation_id = $2 ORDER BY position DESC LIMIT $3 OFFSET $4";
        let sizes: Vec<(i64, i64)> = on!(self.reader, db => sqlx::query_as(SIZES)
            .bind(client_id)
            .bind(conversation_id)
            .bind(page.limit())
            .bind(page.offset())
            .fetch_all(db)
            .await?);
        let mut batches: Vec<MessageBatch> = Vec::new();
        for (position, characters) in sizes.into_iter().rev() {
            match batches.last_mut() {
                Some(batch) if batch.characters + characters <= BATCH_CHARACTERS => {
                    batch.characters += characters;
                    batch.last = position;
                }
                _ => batches.push(MessageBatch { first: position, last: position, characters }),
            }
        }
        Ok(batches)
    }

    /// Reads a batch of messages.
    pub(crate) async fn batch(
        &self,
        client_id: &str,
        conversation_id: &str,
        batch: MessageBatch,
    ) -> Result<Vec<KeptMessage>, StoreError> {
        const BETWEEN: &str = "SELECT id, role, content, created_at FROM messages WHERE client_id = $1 \
            AND conversation_id = $2 AND position BETWEEN $3 AND $4 ORDER BY position";
        let rows: Vec<MessageRow> = on!(self.reader, db => sqlx::query_as(BETWEEN)
            .bind(client_id)
            .bind(conversation_id)
            .bind(batch.first)
            .bind(batch.last)
            .fetch_all(db)
            .await?);
        rows.into_iter().map(KeptMessage::try_from).collect()
    }

    /// Returns the visitor's conversations, the one with the newest message first.
    pub(crate) async fn list_conversations(
        &self,
        visitor: &Visitor,
        page: PageRequest,
    ) -> Result<Page<Conversation>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM conversations WHERE client_id = $1 AND user_id = $2";
        const LIST: &str = "SELECT * FROM conversations WHERE client_id = $1 AND user_id = $2 \
            ORDER BY updated_at DESC, id DESC LIMIT $3 OFFSET $4";
        let (total, rows): (i64, Vec<ConversationRow>) = on!(self.reader, db => (
            sqlx::query_scalar(COUNT).bind(&visitor.client_id).bind(&visitor.user_id).fetch_one(db).await?,
            sqlx::query_as(LIST)
                .bind(&visitor.client_id)
                .bind(&visitor.user_id)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(db)
                .await?,
        ));
        let items = rows.into_iter().map(Conversation::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Deletes at most `limit` rows of the conversations, events and feedback of deleted apps and API keys, and
    /// returns the number of deleted rows.
    ///
    /// Another instance may do the same at the same time, so that deleting no row does not mean that none is left: the
    /// record of a deleted client is only removed by a statement that finds no row of the client.
    pub(crate) async fn delete_conversations_of_deleted_clients(
        &self,
        limit: u32,
    ) -> Result<u64, StoreError> {
        const DELETED: &str = "SELECT client_id FROM deleted_clients LIMIT 1";
        const MESSAGES: &str = "DELETE FROM messages WHERE client_id = $1 AND (conversation_id, position) IN \
            (SELECT conversation_id, position FROM messages WHERE client_id = $1 LIMIT $2)";
        const CONVERSATIONS: &str = "DELETE FROM conversations WHERE client_id = $1 AND id IN \
            (SELECT id FROM conversations WHERE client_id = $1 LIMIT $2)";
        const EVENTS: &str = "DELETE FROM events WHERE client_id = $1 AND (user_id, id) IN \
            (SELECT user_id, id FROM events WHERE client_id = $1 LIMIT $2)";
        const FEEDBACK: &str = "DELETE FROM feedback WHERE client_id = $1 AND (conversation_id, message_id) IN \
            (SELECT conversation_id, message_id FROM feedback WHERE client_id = $1 LIMIT $2)";
        const DONE: &str = "DELETE FROM deleted_clients WHERE client_id = $1 \
            AND NOT EXISTS (SELECT 1 FROM events WHERE client_id = $1) \
            AND NOT EXISTS (SELECT 1 FROM feedback WHERE client_id = $1) \
            AND NOT EXISTS (SELECT 1 FROM messages WHERE client_id = $1) \
            AND NOT EXISTS (SELECT 1 FROM conversations WHERE client_id = $1)";
        let limit = i64::from(limit);
        on!(self.writer, db => {
            let client: Option<String> = sqlx::query_scalar(DELETED).fetch_optional(db).await?;
            let Some(client) = client else {
                return Ok(0);
            };
            for delete in [MESSAGES, CONVERSATIONS, EVENTS, FEEDBACK] {
                let deleted = sqlx::query(delete).bind(&client).bind(limit).execute(db).await?.rows_affected();
                if deleted > 0 {
                    return Ok(deleted);
                }
            }
            Ok(sqlx::query(DONE).bind(&client).execute(db).await?.rows_affected())
        })
    }
}

/// Adjacent messages that are read at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageBatch {
    first: i64,
    last: i64,
    characters: i64,
}

/// The maximum number of characters of a batch, unless one message is longer.
const BATCH_CHARACTERS: i64 = 32 * 1024;

/// The maximum number of messages in one statement, each with seven values: SQLite allows 32766 values.
const MESSAGES_PER_STATEMENT: usize = 1000;
