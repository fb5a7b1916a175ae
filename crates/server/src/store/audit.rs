use super::row::row;
use super::{Page, PageRequest, Store, StoreError, damaged, on, time};
use crate::audit::{AuditEntry, ManagementRole};

row! {
    /// An entry of the audit log as it is stored.
    struct AuditRow {
        id: String,
        at: i64,
        key_role: String,
        address: String,
        method: String,
        path: String,
        status: Option<i64>,
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        Ok(Self {
            at: time(&row.id, row.at)?,
            key: ManagementRole::from_name(&row.key_role)
                .ok_or_else(|| damaged(&row.id, "its key is unknown"))?,
            address: row.address,
            method: row.method,
            path: row.path,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            id: row.id,
        })
    }
}

impl Store {
    /// Stores a call of the management API.
    pub(crate) async fn insert_audit_entry(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO audit_log (id, at, key_role, address, method, path, status) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self.writer, db => sqlx::query(INSERT)
            .bind(&entry.id)
            .bind(entry.at.as_millisecond())
            .bind(entry.key.name())
            .bind(&entry.address)
            .bind(&entry.method)
            .bind(&entry.path)
            .bind(entry.status.map(i64::from))
            .execute(db)
            .await
            .map(|_| ())?);
        Ok(())
    }

    /// Stores the status of a call's response.
    pub(crate) async fn finish_audit_entry(&self, id: &str, status: u16) -> Result<(), StoreError> {
        const UPDATE: &str = "UPDATE audit_log SET status = $2 WHERE id = $1";
        on!(self.writer, db =>
            sqlx::query(UPDATE).bind(id).bind(i64::from(status)).execute(db).await.map(|_| ())?);
        Ok(())
    }

    /// Returns the audit log, the newest entry first.
    pub(crate) async fn list_audit_entries(&self, page: PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM audit_log";
        const LIST: &str = "SELECT * FROM audit_log ORDER BY at DESC, id DESC LIMIT $1 OFFSET $2";
        let (total, rows): (i64, Vec<AuditRow>) = on!(self.reader, db => (
            sqlx::query_scalar(COUNT).fetch_one(db).await?,
            sqlx::query_as(LIST).bind(page.limit()).bind(page.offset()).fetch_all(db).await?,
        ));
        let items = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Deletes at most `limit` of the oldest entries above the newest `keep` of calls that change something, and as many
    /// of others, so that nobody pushes a change out of the log by reading, or with the key that only reads. Returns how
    /// many it deleted.
    pub(crate) async fn delete_old_audit_entries(&self, keep: u32, limit: u32) -> Result<u64, StoreError> {
        const DELETE_READS: &str = "DELETE FROM audit_log WHERE id IN \
            (SELECT id FROM audit_log WHERE method IN ('GET', 'HEAD') OR key_role = 'read-only' \
            ORDER BY at DESC, id DESC LIMIT $2 OFFSET $1)";
        const DELETE_CHANGES: &str = "DELETE FROM audit_log WHERE id IN \
            (SELECT id FROM audit_log WHERE method NOT IN ('GET', 'HEAD') AND key_role <> 'read-only' \
            ORDER BY at DESC, id DESC LIMIT $2 OFFSET $1)";
        let mut deleted = 0;
        for delete in [DELETE_READS, DELETE_CHANGES] {
            deleted += on!(self.writer, db => sqlx::query(delete)
                .bind(i64::from(keep))
                .bind(i64::from(limit))
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(deleted)
    }
}
