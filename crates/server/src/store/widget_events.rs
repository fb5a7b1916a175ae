use super::row::row;
use super::{PATIENCE, Page, PageRequest, Store, StoreError, damaged, is_storable, on, time};
use crate::Owner;
use crate::conversations::Visitor;
use crate::widget_events::{
    EVENT_WINDOW_MILLISECONDS, Feedback, FeedbackType, MAX_EVENTS_PER_VISITOR, MAX_FEEDBACK_PER_CONVERSATION,
    WidgetEvent,
};
use jiff::Timestamp;
use serde_json::value::RawValue;

/// The result of storing an event.
#[derive(Clone, Debug)]
pub(crate) enum EventOutcome {
    /// The event is stored.
    Stored,
    /// The visitor reported an event with this id before, which is returned.
    Known(Box<WidgetEvent>),
    /// The visitor has reached the limit of events. The next one is accepted at this time, in Unix milliseconds.
    TooMany { next_at_milliseconds: i64 },
    /// The app or the API key was deleted meanwhile.
    ClientDeleted,
}

/// The result of storing feedback.
#[derive(Clone, Debug)]
pub(crate) enum FeedbackOutcome {
    /// The feedback is stored, and replaces earlier feedback of the visitor on the message.
    Stored(Feedback),
    /// The visitor has no such conversation.
    NoConversation,
    /// The conversation has the maximum number of entries.
    TooMany,
}

/// The filter of a list. An empty text matches every entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportFilter<'a> {
    pub(crate) r#type: &'a str,
    pub(crate) client_id: &'a str,
}

/// The clients of an owner.
macro_rules! of_owner {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " WHERE client_id IN (SELECT id FROM apps WHERE tenant_id = $1 AND project_id = $2 ",
            "UNION ALL SELECT id FROM api_keys WHERE tenant_id = $1 AND project_id = $2) ",
            "AND ($3 = '' OR type = $3) AND ($4 = '' OR client_id = $4) ",
            $rest
        )
    };
}

/// Runs the two statements of a page of a list.
macro_rules! page {
    ($store:ident, $row:ty, $count:expr, $list:expr, $owner:ident, $filter:ident, $page:ident) => {{
        let (total, rows): (i64, Vec<$row>) = on!($store.reader, db => (
            sqlx::query_scalar($count)
                .bind(&$owner.tenant_id)
                .bind(&$owner.project_id)
                .bind($filter.r#type)
                .bind($filter.client_id)
                .fetch_one(db)
                .await?,
            sqlx::query_as($list)
                .bind(&$owner.tenant_id)
                .bind(&$owner.project_id)
                .bind($filter.r#type)
                .bind($filter.client_id)
                .bind($page.limit())
                .bind($page.offset())
                .fetch_all(db)
                .await?,
        ));
        let items = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }};
}

row! {
    struct EventRow {
        client_id: String,
        user_id: String,
        id: String,
        r#type: String,
        conversation_id: Option<String>,
        message_id: Option<String>,
        data: String,
        created_at: i64,
    }
}

impl TryFrom<EventRow> for WidgetEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            data: serde_json::from_str(&row.data).map_err(|error| damaged(&row.id, error))?,
            created_at: time(&row.id, row.created_at)?,
            id: row.id,
            client_id: row.client_id,
            user_id: row.user_id,
            r#type: row.r#type,
            conversation_id: row.conversation_id,
            message_id: row.message_id,
        })
    }
}

row! {
    struct FeedbackRow {
        client_id: String,
        conversation_id: String,
        message_id: String,
        id: String,
        user_id: String,
        r#type: String,
        details: Option<String>,
        created_at: i64,
        updated_at: i64,
    }
}

impl TryFrom<FeedbackRow> for Feedback {
    type Error = StoreError;

    fn try_from(row: FeedbackRow) -> Result<Self, StoreError> {
        let details = row.details.map(RawValue::from_string).transpose();
        Ok(Self {
            r#type: FeedbackType::from_name(&row.r#type)
                .ok_or_else(|| damaged(&row.id, "its type is unknown"))?,
            details: details.map_err(|error| damaged(&row.id, error))?,
            created_at: time(&row.id, row.created_at)?,
            updated_at: time(&row.id, row.updated_at)?,
            id: row.id,
            client_id: row.client_id,
            user_id: row.user_id,
            conversation_id: row.conversation_id,
            message_id: Some(row.message_id).filter(|id| !id.is_empty()),
        })
    }
}

impl Store {
    /// Stores an event, unless its visitor reported it before. `is_limited`: the limit of a visitor's events applies.
    pub(crate) async fn add_event(
        &self,
        event: &WidgetEvent,
        is_limited: bool,
    ) -> Result<EventOutcome, StoreError> {
        let added = self.add_event_without_limit(event, is_limited);
        tokio::time::timeout(PATIENCE, added).await.unwrap_or(Err(StoreError::TimedOut))
    }

    async fn add_event_without_limit(
        &self,
        event: &WidgetEvent,
        is_limited: bool,
    ) -> Result<EventOutcome, StoreError> {
        const INSERT: &str = "INSERT INTO events \
            (client_id, user_id, id, type, conversation_id, message_id, data, created_at) \
            SELECT $1, $2, $3, $4, $5, $6, $7, $8 \
            WHERE (SELECT COUNT(*) FROM events WHERE client_id = $1 AND user_id = $2 AND created_at > $9) < $10 \
            ON CONFLICT (client_id, user_id, id) DO NOTHING";
        const FIND: &str = "SELECT * FROM events WHERE client_id = $1 AND user_id = $2 AND id = $3";
        const FIRST: &str = "SELECT MIN(created_at) FROM events \
            WHERE client_id = $1 AND user_id = $2 AND created_at > $3";
        let data = serde_json::to_string(&event.data).map_err(|error| damaged(&event.id, error))?;
        let now = event.created_at.as_millisecond();
        let limit = if is_limited { i64::from(MAX_EVENTS_PER_VISITOR) } else { i64::MAX };
        on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            let inserted = sqlx::query(INSERT)
                .bind(&event.client_id)
                .bind(&event.user_id)
                .bind(&event.id)
                .bind(&event.r#type)
                .bind(&event.conversation_id)
                .bind(&event.message_id)
                .bind(data)
                .bind(now)
                .bind(now - EVENT_WINDOW_MILLISECONDS)
                .bind(limit)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if inserted == 0 {
                let known: Option<EventRow> = sqlx::query_as(FIND)
                    .bind(&event.client_id)
                    .bind(&event.user_id)
                    .bind(&event.id)
                    .fetch_optional(&mut *transaction)
                    .await?;
                if let Some(row) = known {
                    return Ok(EventOutcome::Known(Box::new(row.try_into()?)));
                }
                let first: Option<i64> = sqlx::query_scalar(FIRST)
                    .bind(&event.client_id)
                    .bind(&event.user_id)
                    .bind(now - EVENT_WINDOW_MILLISECONDS)
                    .fetch_one(&mut *transaction)
                    .await?;
                let next_at_milliseconds = first.unwrap_or(now) + EVENT_WINDOW_MILLISECONDS;
                return Ok(EventOutcome::TooMany { next_at_milliseconds });
            }
            // After the first write, as for a turn: the app is not deleted before this transaction ends, and an erasure that
            // begins from here on deletes the event.
            if let Some(lock) = self.locks.turn_of_visitor {
                let locked = sqlx::query(lock).bind(&event.client_id).bind(&event.user_id);
                locked.execute(&mut *transaction).await?;
            }
            let is_erased: bool = sqlx::query_scalar(super::ERASED)
                .bind(&event.client_id)
                .bind(&event.user_id)
                .bind(now)
                .fetch_one(&mut *transaction)
                .await?;
            if is_erased {
                // The same as if the event had been stored before the erasure.
                return Ok(EventOutcome::Stored);
            }
            let mut client_exists = false;
            for lock in self.locks.client {
                let found = sqlx::query(lock).bind(&event.client_id).fetch_optional(&mut *transaction);
                client_exists |= found.await?.is_some();
            }
            if !client_exists {
                return Ok(EventOutcome::ClientDeleted);
            }
            transaction.commit().await?;
            Ok(EventOutcome::Stored)
        })
    }

    /// Stores feedback on a message of one of its visitor's conversations. Earlier feedback of the visitor on
    /// the message is replaced.
    pub(crate) async fn set_feedback(&self, feedback: &Feedback) -> Result<FeedbackOutcome, StoreError> {
        let stored = self.set_feedback_without_limit(feedback);
        tokio::time::timeout(PATIENCE, stored).await.unwrap_or(Err(StoreError::TimedOut))
    }

    async fn set_feedback_without_limit(&self, feedback: &Feedback) -> Result<FeedbackOutcome, StoreError> {
        const UPSERT: &str = "INSERT INTO feedback \
            (client_id, conversation_id, message_id, id, user_id, type, details, created_at, updated_at) \
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8 \
            WHERE EXISTS (SELECT 1 FROM conversations WHERE client_id = $1 AND id = $2 AND user_id = $5) \
            AND (SELECT COUNT(*) FROM feedback WHERE client_id = $1 AND conversation_id = $2 \
                AND message_id <> $3) < $9 \
            ON CONFLICT (client_id, conversation_id, message_id) DO UPDATE \
            SET type = excluded.type, details = excluded.details, updated_at = excluded.updated_at \
            RETURNING *";
        let details = feedback.details.as_ref().map(|details| details.get());
        let row: Option<FeedbackRow> = on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            // Before the feedback, as its deletion does. SQLite's first statement is the write, which locks the file.
            if let Some(lock) = self.locks.conversation {
                sqlx::query(lock)
                    .bind(&feedback.client_id)
                    .bind(&feedback.conversation_id)
                    .bind(&feedback.user_id)
                    .execute(&mut *transaction)
                    .await?;
            }
            let row = sqlx::query_as(UPSERT)
                .bind(&feedback.client_id)
                .bind(&feedback.conversation_id)
                .bind(feedback.message_id.as_deref().unwrap_or_default())
                .bind(&feedback.id)
                .bind(&feedback.user_id)
                .bind(feedback.r#type.name())
                .bind(details)
                .bind(feedback.created_at.as_millisecond())
                .bind(i64::from(MAX_FEEDBACK_PER_CONVERSATION))
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.commit().await?;
            row
        });
        if let Some(row) = row {
            return Ok(FeedbackOutcome::Stored(row.try_into()?));
        }
        let conversation = self.find_conversation(&feedback.client_id, &feedback.conversation_id).await?;
        let is_own = conversation.is_some_and(|conversation| conversation.user_id == feedback.user_id);
        Ok(if is_own { FeedbackOutcome::TooMany } else { FeedbackOutcome::NoConversation })
    }

    /// Returns the events of the owner's apps and API keys, the newest first.
    pub(crate) async fn list_events(
        &self,
        owner: &Owner,
        filter: ReportFilter<'_>,
        page: PageRequest,
    ) -> Result<Page<WidgetEvent>, StoreError> {
        const COUNT: &str = of_owner!("SELECT COUNT(*) FROM events", "");
        const LIST: &str = of_owner!(
            "SELECT * FROM events",
            "ORDER BY created_at DESC, client_id, user_id, id DESC LIMIT $5 OFFSET $6"
        );
        page!(self, EventRow, COUNT, LIST, owner, filter, page)
    }

    /// Returns the feedback on answers of the owner's apps and API keys, the newest first.
    pub(crate) async fn list_feedback(
        &self,
        owner: &Owner,
        filter: ReportFilter<'_>,
        page: PageRequest,
    ) -> Result<Page<Feedback>, StoreError> {
        const COUNT: &str = of_owner!("SELECT COUNT(*) FROM feedback", "");
        const LIST: &str = of_owner!(
            "SELECT * FROM feedback",
            "ORDER BY updated_at DESC, client_id, conversation_id, message_id LIMIT $5 OFFSET $6"
        );
        page!(self, FeedbackRow, COUNT, LIST, owner, filter, page)
    }

    /// Deletes the events of a visitor. Feedback is deleted with its conversation.
    pub(crate) async fn delete_events_of_visitor(&self, visitor: &Visitor) -> Result<u64, StoreError> {
        const DELETE: &str = "DELETE FROM events WHERE client_id = $1 AND user_id = $2";
        if !is_storable(&visitor.user_id) {
            return Ok(0);
        }
        Ok(on!(self.writer, db => sqlx::query(DELETE)
            .bind(&visitor.client_id)
            .bind(&visitor.user_id)
            .execute(db)
            .await?
            .rows_affected()))
    }

    /// Deletes at most `limit` events that are older than `time`. Returns the number of deleted events.
    pub(crate) async fn delete_events_before(&self, time: Timestamp, limit: u32) -> Result<u64, StoreError> {
        const DELETE: &str = "DELETE FROM events WHERE (client_id, user_id, id) IN \
            (SELECT client_id, user_id, id FROM events WHERE created_at < $1 LIMIT $2)";
        self.delete_rows_before(DELETE, time, limit).await
    }

    /// Returns the visitor's events in the order of their ids, at most `limit` of those after `after`.
    pub(crate) async fn events_after(
        &self,
        visitor: &Visitor,
        after: &str,
        limit: u32,
    ) -> Result<Vec<WidgetEvent>, StoreError> {
        const LIST: &str =
            "SELECT * FROM events WHERE client_id = $1 AND user_id = $2 AND id > $3 ORDER BY id LIMIT $4";
        if !is_storable(&visitor.user_id) {
            return Ok(Vec::new());
        }
        let rows: Vec<EventRow> = on!(self.reader, db => sqlx::query_as(LIST)
            .bind(&visitor.client_id)
            .bind(&visitor.user_id)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?);
        rows.into_iter().map(WidgetEvent::try_from).collect()
    }

    /// Returns the feedback on a visitor's conversations in the order of conversations and messages, at most `limit`
    /// entries of those after the message `after` of a conversation.
    pub(crate) async fn feedback_after(
        &self,
        visitor: &Visitor,
        (conversation_id, message_id): (&str, &str),
        limit: u32,
    ) -> Result<Vec<Feedback>, StoreError> {
        const LIST: &str = "SELECT * FROM feedback \
            WHERE client_id = $1 AND user_id = $2 AND (conversation_id, message_id) > ($3, $4) \
            ORDER BY conversation_id, message_id LIMIT $5";
        if !is_storable(&visitor.user_id) {
            return Ok(Vec::new());
        }
        let rows: Vec<FeedbackRow> = on!(self.reader, db => sqlx::query_as(LIST)
            .bind(&visitor.client_id)
            .bind(&visitor.user_id)
            .bind(conversation_id)
            .bind(message_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?);
        rows.into_iter().map(Feedback::try_from).collect()
    }
}
