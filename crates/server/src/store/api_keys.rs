use super::apps::is_stale;
use super::row::row;
use super::{Page, PageRequest, Store, StoreError, is_storable, on, time};
use crate::{ApiKey, Owner};
use jiff::Timestamp;

row! {
    /// An API key as it is stored.
    struct ApiKeyRow {
        id: String,
        tenant_id: String,
        project_id: String,
        name: String,
        agent_id: String,
        key_prefix: String,
        last_used_at: Option<i64>,
        expires_at: Option<i64>,
        created_at: i64,
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant_id: row.tenant_id,
            project_id: row.project_id,
            name: row.name,
            agent_id: row.agent_id,
            key_prefix: row.key_prefix,
            last_used_at: row.last_used_at.map(|at| time(&row.id, at)).transpose()?,
            expires_at: row.expires_at.map(|at| time(&row.id, at)).transpose()?,
            created_at: time(&row.id, row.created_at)?,
            id: row.id,
        })
    }
}

impl Store {
    /// Adds an API key whose secret has this digest.
    pub(crate) async fn insert_api_key(&self, key: &ApiKey, hash: &[u8; 32]) -> Result<(), StoreError> {
        const INSERT: &str = "INSERT INTO api_keys (id, tenant_id, project_id, name, agent_id, key_prefix, key_hash, \
            last_used_at, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        on!(self.writer, db => sqlx::query(INSERT)
            .bind(&key.id)
            .bind(&key.tenant_id)
            .bind(&key.project_id)
            .bind(&key.name)
            .bind(&key.agent_id)
            .bind(&key.key_prefix)
            .bind(hash.as_slice())
            .bind(key.last_used_at.map(Timestamp::as_millisecond))
            .bind(key.expires_at.map(Timestamp::as_millisecond))
            .bind(key.created_at.as_millisecond())
            .execute(db)
            .await
            .map(|_| ())?);
        Ok(())
    }

    /// Returns the API key whose secret has this digest.
    pub(crate) async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        const FIND: &str = "SELECT * FROM api_keys WHERE key_hash = $1";
        let row: Option<ApiKeyRow> =
            on!(self.reader, db => sqlx::query_as(FIND).bind(hash.as_slice()).fetch_optional(db).await?);
        row.map(ApiKey::try_from).transpose()
    }

    /// Returns the owner's API keys, the newest first.
    pub(crate) async fn list_api_keys(
        &self,
        owner: &Owner,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM api_keys WHERE tenant_id = $1 AND project_id = $2";
        const LIST: &str = "SELECT * FROM api_keys WHERE tenant_id = $1 AND project_id = $2 \
            ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4";
        let (total, rows): (i64, Vec<ApiKeyRow>) = on!(self.reader, db => (
            sqlx::query_scalar(COUNT).bind(&owner.tenant_id).bind(&owner.project_id).fetch_one(db).await?,
            sqlx::query_as(LIST)
                .bind(&owner.tenant_id)
                .bind(&owner.project_id)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(db)
                .await?,
        ));
        let items = rows.into_iter().map(ApiKey::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Deletes an API key of the owner, and returns whether it existed. Its conversations are deleted later by
    /// [`delete_conversations_of_deleted_clients`](Self::delete_conversations_of_deleted_clients).
    pub(crate) async fn delete_api_key(&self, owner: &Owner, id: &str) -> Result<bool, StoreError> {
        const DELETE: &str = "DELETE FROM api_keys WHERE id = $1 AND tenant_id = $2 AND project_id = $3";
        self.delete_client(DELETE, owner, id).await
    }

    /// Stores that an API key was used, at most once a minute.
    pub(crate) async fn touch_api_key(&self, key: &ApiKey, now: Timestamp) -> Result<(), StoreError> {
        const TOUCH: &str = "UPDATE api_keys SET last_used_at = $2 \
            WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
        if !is_stale(key.last_used_at, now) {
            return Ok(());
        }
        self.touch(TOUCH, &key.id, now).await
    }

    /// Deletes an app or an API key by a statement, and records that its conversations must be deleted.
    pub(super) async fn delete_client(
        &self,
        delete: &'static str,
        owner: &Owner,
        id: &str,
    ) -> Result<bool, StoreError> {
        const NOTE: &str = "INSERT INTO deleted_clients (client_id) VALUES ($1) ON CONFLICT DO NOTHING";
        if !is_storable(id) {
            return Ok(false);
        }
        on!(self.writer, db => {
            let mut transaction = db.begin().await?;
            let deleted = sqlx::query(delete)
                .bind(id)
                .bind(&owner.tenant_id)
                .bind(&owner.project_id)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if deleted == 1 {
                sqlx::query(NOTE).bind(id).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok(deleted == 1)
        })
    }
}
