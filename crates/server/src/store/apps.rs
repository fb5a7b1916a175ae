use super::row::row;
use super::{Page, PageRequest, Store, StoreError, damaged, is_storable, on, time};
use crate::{App, AppConfig, AppType, Owner};
use jiff::Timestamp;
use std::time::Duration;

row! {
    /// An app as it is stored.
    struct AppRow {
        id: String,
        tenant_id: String,
        project_id: String,
        name: String,
        description: Option<String>,
        r#type: String,
        default_agent_id: Option<String>,
        prompt: Option<String>,
        enabled: bool,
        config: String,
        last_used_at: Option<i64>,
        created_at: i64,
        updated_at: i64,
    }
}

impl TryFrom<AppRow> for App {
    type Error = StoreError;

    fn try_from(row: AppRow) -> Result<Self, StoreError> {
        let app_type =
            AppType::from_name(&row.r#type).ok_or_else(|| damaged(&row.id, "its type is unknown"))?;
        let config = match app_type {
            AppType::WebClient => {
                let web_client =
                    serde_json::from_str(&row.config).map_err(|error| damaged(&row.id, error))?;
                AppConfig::WebClient { web_client }
            }
            AppType::Api => AppConfig::Api {},
        };
        Ok(Self {
            tenant_id: row.tenant_id,
            project_id: row.project_id,
            name: row.name,
            description: row.description,
            r#type: app_type,
            default_agent_id: row.default_agent_id,
            prompt: row.prompt,
            enabled: row.enabled,
            config,
            last_used_at: row.last_used_at.map(|at| time(&row.id, at)).transpose()?,
            created_at: time(&row.id, row.created_at)?,
            updated_at: time(&row.id, row.updated_at)?,
            id: row.id,
        })
    }
}

impl Store {
    /// Adds an app, unless its id is already used. Returns whether the app was added.
    pub(crate) async fn insert_app(&self, app: &App) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO apps (id, tenant_id, project_id, name, description, type, \
            default_agent_id, prompt, enabled, config, last_used_at, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING";
        let config = config_json(app)?;
        let inserted = on!(self.writer, db => sqlx::query(INSERT)
            .bind(&app.id)
            .bind(&app.tenant_id)
            .bind(&app.project_id)
            .bind(&app.name)
            .bind(&app.description)
            .bind(app.r#type.name())
            .bind(&app.default_agent_id)
            .bind(&app.prompt)
            .bind(app.enabled)
            .bind(config)
            .bind(app.last_used_at.map(Timestamp::as_millisecond))
            .bind(app.created_at.as_millisecond())
            .bind(app.updated_at.as_millisecond())
            .execute(db)
            .await?
            .rows_affected());
        Ok(inserted == 1)
    }

    /// Returns the app with this id, of any tenant and project.
    pub(crate) async fn find_app(&self, id: &str) -> Result<Option<App>, StoreError> {
        if !is_storable(id) {
            return Ok(None);
        }
        let row: Option<AppRow> = on!(self.reader, db =>
            sqlx::query_as("SELECT * FROM apps WHERE id = $1").bind(id).fetch_optional(db).await?);
        row.map(App::try_from).transpose()
    }

    /// Returns the owner's apps of one type, or of every type, the newest first.
    pub(crate) async fn list_apps(
        &self,
        owner: &Owner,
        app_type: Option<AppType>,
        page: PageRequest,
    ) -> Result<Page<App>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM apps \
            WHERE tenant_id = $1 AND project_id = $2 AND ($3 = '' OR type = $3)";
        const LIST: &str = "SELECT * FROM apps \
            WHERE tenant_id = $1 AND project_id = $2 AND ($3 = '' OR type = $3) \
            ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5";
        let app_type = app_type.map_or("", AppType::name);
        let (total, rows): (i64, Vec<AppRow>) = on!(self.reader, db => (
            sqlx::query_scalar(COUNT)
                .bind(&owner.tenant_id)
                .bind(&owner.project_id)
                .bind(app_type)
                .fetch_one(db)
                .await?,
            sqlx::query_as(LIST)
                .bind(&owner.tenant_id)
                .bind(&owner.project_id)
                .bind(app_type)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(db)
                .await?,
        ));
        let items = rows.into_iter().map(App::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Changes an app of the owner by `change`, which receives the present app and may fail. Returns `None` if the owner
    /// has no app with this id.
    pub(crate) async fn change_app<E: From<StoreError>>(
        &self,
        owner: &Owner,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut App) -> Result<(), E>,
    ) -> Result<Option<App>, E> {
        // The first statement locks the row, so that concurrent changes run one after the other.
        const LOCK: &str = "UPDATE apps SET updated_at = $4 \
            WHERE id = $1 AND tenant_id = $2 AND project_id = $3 RETURNING *";
        const UPDATE: &str = "UPDATE apps SET name = $2, description = $3, default_agent_id = $4, prompt = $5, \
            enabled = $6, config = $7 WHERE id = $1";
        if !is_storable(id) {
            return Ok(None);
        }
        on!(self.writer, db => {
            let mut transaction = db.begin().await.map_err(StoreError::from)?;
            let row: Option<AppRow> = sqlx::query_as(LOCK)
                .bind(id)
                .bind(&owner.tenant_id)
                .bind(&owner.project_id)
                .bind(now.as_millisecond())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
            let Some(row) = row else {
                return Ok(None);
            };
            let mut app = App::try_from(row)?;
            change(&mut app)?;
            sqlx::query(UPDATE)
                .bind(&app.id)
                .bind(&app.name)
                .bind(&app.description)
                .bind(&app.default_agent_id)
                .bind(&app.prompt)
                .bind(app.enabled)
                .bind(config_json(&app)?)
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
            transaction.commit().await.map_err(StoreError::from)?;
            Ok(Some(app))
        })
    }

    /// Deletes an app of the owner, and returns whether it existed. Its conversations are deleted later by
    /// [`delete_conversations_of_deleted_clients`](Self::delete_conversations_of_deleted_clients).
    pub(crate) async fn delete_app(&self, owner: &Owner, id: &str) -> Result<bool, StoreError> {
        const DELETE: &str = "DELETE FROM apps WHERE id = $1 AND tenant_id = $2 AND project_id = $3";
        self.delete_client(DELETE, owner, id).await
    }

    /// Stores that an app was used, at most once a minute, also if other instances do the same.
    pub(crate) async fn touch_app(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        const TOUCH: &str = "UPDATE apps SET last_used_at = $2 \
            WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
        self.touch(TOUCH, id, now).await
    }

    /// Stores by a statement that an app or an API key was used. If the row is locked or the
    /// database is slow, the request waits for [`TOUCH_TIME`]: the next use is stored a minute later.
    pub(super) async fn touch(
        &self,
        statement: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let now = now.as_millisecond();
        let stored = async {
            on!(self.writer, db => sqlx::query(statement)
                .bind(id)
                .bind(now)
                .bind(now - TOUCH_INTERVAL_MILLISECONDS)
                .execute(db)
                .await
                .map(|_| ())?);
            Ok(())
        };
        tokio::time::timeout(TOUCH_TIME, stored).await.unwrap_or(Err(StoreError::TimedOut))
    }
}

/// How long a request waits until it is stored that an app or an API key was used.
const TOUCH_TIME: Duration = Duration::from_secs(1);

/// The minimum time between two stored uses of an app or an API key.
const TOUCH_INTERVAL_MILLISECONDS: i64 = 60_000;

/// Returns whether a use should be stored: not again within a minute.
pub(super) fn is_stale(last_used_at: Option<Timestamp>, now: Timestamp) -> bool {
    last_used_at.is_none_or(|at| now.as_millisecond() - at.as_millisecond() >= TOUCH_INTERVAL_MILLISECONDS)
}

fn config_json(app: &App) -> Result<String, StoreError> {
    match &app.config {
        AppConfig::WebClient { web_client } => {
            serde_json::to_string(web_client).map_err(|error| damaged(&app.id, error))
        }
        AppConfig::Api {} => Ok("{}".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::on;
    use crate::{App, AppConfig, PowVersion, Store, WebClient};
    use jiff::Timestamp;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_123 + seconds * 1000).unwrap()
    }

    fn app(id: &str) -> App {
        let web_client = WebClient {
            allowed_domains: vec!["*.example.com".parse().unwrap()],
            allow_anonymous: false,
            public_keys: Vec::new(),
            audience: Some("docs".to_owned()),
            pow_version: Some(PowVersion::V2),
        };
        let config = AppConfig::WebClient { web_client };
        App {
            id: id.to_owned(),
            tenant_id: "acme".to_owned(),
            project_id: "docs".to_owned(),
            name: "Bücher; DROP TABLE apps".to_owned(),
            description: None,
            r#type: config.app_type(),
            default_agent_id: Some("echo".to_owned()),
            prompt: Some("Answer in German.".to_owned()),
            enabled: true,
            config,
            last_used_at: None,
            created_at: time(0),
            updated_at: time(1),
        }
    }

    async fn store() -> Store {
        Store::open("sqlite::memory:").await.unwrap()
    }

    #[tokio::test]
    async fn an_app_comes_back_as_it_went_in() {
        let store = store().await;
        assert!(store.insert_app(&app("app_1")).await.unwrap());
        let found = store.find_app("app_1").await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{:?}", app("app_1")));
        assert!(store.find_app("app_2").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_app_that_is_there_stays_as_it_is() {
        let store = store().await;
        store.insert_app(&app("app_1")).await.unwrap();
        let other = App { name: "Other".to_owned(), ..app("app_1") };
        assert!(!store.insert_app(&other).await.unwrap());
        assert_eq!(store.find_app("app_1").await.unwrap().unwrap().name, app("app_1").name);
    }

    #[tokio::test]
    async fn use_is_noted_once_a_minute() {
        let store = store().await;
        store.insert_app(&app("app_1")).await.unwrap();
        for (now, noted) in [(0, 0), (59, 0), (60, 60), (61, 60), (600, 600)] {
            store.touch_app("app_1", time(now)).await.unwrap();
            assert_eq!(store.find_app("app_1").await.unwrap().unwrap().last_used_at, Some(time(noted)));
        }
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_an_error() {
        let store = store().await;
        store.insert_app(&app("app_1")).await.unwrap();
        for config in ["{}", "{\"allowedDomains\":[\"https://x\"],\"allowAnonymous\":true,\"publicKeys\":[]}"]
        {
            on!(store.writer, db => sqlx::query("UPDATE apps SET config = $1")
                .bind(config)
                .execute(db)
                .await
                .map(|_| ())
                .unwrap());
            let error = store.find_app("app_1").await.unwrap_err();
            assert!(error.to_string().starts_with("app_1 cannot be read: "), "{error}");
        }
    }
}
