use super::row::row;
use super::{Page, PageRequest, Store, StoreError, is_storable, on, time};
use crate::revocations::Revocation;
use jiff::Timestamp;

row! {
    /// A revocation as it is stored.
    struct RevocationRow {
        user_id: String,
        not_before: i64,
        created_at: i64,
    }
}

impl TryFrom<RevocationRow> for Revocation {
    type Error = StoreError;

    fn try_from(row: RevocationRow) -> Result<Self, StoreError> {
        Ok(Self {
            not_before: time(&row.user_id, row.not_before)?,
            created_at: time(&row.user_id, row.created_at)?,
            visitor: Some(row.user_id).filter(|visitor| !visitor.is_empty()),
        })
    }
}

impl Store {
    /// Stores a revocation of an app's sessions. An earlier one of the same visitor stays if it revokes more.
    pub(crate) async fn revoke_sessions(
        &self,
        app_id: &str,
        revocation: &Revocation,
    ) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO revoked_sessions (app_id, user_id, not_before, created_at) \
            VALUES ($1, $2, $3, $4) ON CONFLICT (app_id, user_id) DO UPDATE \
            SET not_before = excluded.not_before, created_at = excluded.created_at \
            WHERE revoked_sessions.not_before < excluded.not_before";
        on!(self.writer, db => sqlx::query(INSERT)
            .bind(app_id)
            .bind(revocation.visitor.as_deref().unwrap_or_default())
            .bind(revocation.not_before.as_millisecond())
            .bind(revocation.created_at.as_millisecond())
            .execute(db)
            .await
            .map(|_| ())?);
        Ok(())
    }

    /// Returns whether a session of this visitor that began at `issued_at_seconds` is revoked.
    pub(crate) async fn is_session_revoked(
        &self,
        app_id: &str,
        user_id: &str,
        issued_at_seconds: u64,
    ) -> Result<bool, StoreError> {
        // A revocation with an empty visitor is for the whole app.
        const FIND: &str = "SELECT MAX(not_before) FROM revoked_sessions \
            WHERE app_id = $1 AND user_id IN ('', $2)";
        if !is_storable(user_id) {
            return Ok(true);
        }
        let not_before: Option<i64> = on!(self.reader, db =>
            sqlx::query_scalar(FIND).bind(app_id).bind(user_id).fetch_one(db).await?);
        let issued_at = i64::try_from(issued_at_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        Ok(not_before.is_some_and(|not_before| issued_at < not_before))
    }

    /// Returns the revocation of all sessions of an app, if there is one.
    pub(crate) async fn find_revocation_of_app(
        &self,
        app_id: &str,
    ) -> Result<Option<Revocation>, StoreError> {
        const FIND: &str = "SELECT user_id, not_before, created_at FROM revoked_sessions \
            WHERE app_id = $1 AND user_id = ''";
        let row: Option<RevocationRow> =
            on!(self.reader, db => sqlx::query_as(FIND).bind(app_id).fetch_optional(db).await?);
        row.map(Revocation::try_from).transpose()
    }

    /// Returns the revocations of an app, the newest first.
    pub(crate) async fn list_revocations(
        &self,
        app_id: &str,
        page: PageRequest,
    ) -> Result<Page<Revocation>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM revoked_sessions WHERE app_id = $1";
        const LIST: &str = "SELECT user_id, not_before, created_at FROM revoked_sessions WHERE app_id = $1 \
            ORDER BY created_at DESC, user_id LIMIT $2 OFFSET $3";
        let (total, rows): (i64, Vec<RevocationRow>) = on!(self.reader, db => (
            sqlx::query_scalar(COUNT).bind(app_id).fetch_one(db).await?,
            sqlx::query_as(LIST).bind(app_id).bind(page.limit()).bind(page.offset()).fetch_all(db).await?,
        ));
        let items = rows.into_iter().map(Revocation::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Deletes at most `limit` revocations that revoke only sessions that began before `before`. Returns the number of
    /// deleted revocations.
    pub(crate) async fn delete_old_revocations(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        const DELETE: &str = "DELETE FROM revoked_sessions WHERE (app_id, user_id) IN \
            (SELECT app_id, user_id FROM revoked_sessions WHERE not_before < $1 LIMIT $2)";
        self.delete_rows_before(DELETE, before, limit).await
    }
}
