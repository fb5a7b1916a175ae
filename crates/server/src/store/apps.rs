use super::{Store, StoreError};
use crate::App;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

impl Store {
    /// Adds an app, unless there is one with its id already: says whether it was added.
    pub(crate) async fn insert_app(&self, app: &App) -> Result<bool, StoreError> {
        let config = serde_json::to_string(&app.config).map_err(|error| damaged(&app.id, error))?;
        let inserted = sqlx::query(
            "INSERT INTO apps (id, tenant_id, project_id, name, description, default_agent_id, enabled, config, \
             last_used_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(&app.id)
        .bind(&app.tenant_id)
        .bind(&app.project_id)
        .bind(&app.name)
        .bind(&app.description)
        .bind(&app.default_agent_id)
        .bind(app.enabled)
        .bind(config)
        .bind(app.last_used_at.map(Timestamp::as_millisecond))
        .bind(app.created_at.as_millisecond())
        .bind(app.updated_at.as_millisecond())
        .execute(&self.pool)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// The app with this id.
    pub(crate) async fn find_app(&self, id: &str) -> Result<Option<App>, StoreError> {
        let row = sqlx::query(
            "SELECT id, tenant_id, project_id, name, description, default_agent_id, enabled, config, last_used_at, \
             created_at, updated_at FROM apps WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes that an app was used, at most once a minute: a busy app should not write all the time.
    pub(crate) async fn touch_app(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE apps SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)")
            .bind(id)
            .bind(now.as_millisecond())
            .bind(now.as_millisecond() - 60_000)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<App, StoreError> {
    let id: String = row.try_get("id")?;
    let config = serde_json::from_str(row.try_get("config")?).map_err(|error| damaged(&id, error))?;
    let time = |column| -> Result<Option<Timestamp>, StoreError> {
        let milliseconds: Option<i64> = row.try_get(column)?;
        milliseconds.map(Timestamp::from_millisecond).transpose().map_err(|error| damaged(&id, error))
    };
    let required = |column| time(column)?.ok_or_else(|| damaged(&id, "a time is missing"));
    Ok(App {
        tenant_id: row.try_get("tenant_id")?,
        project_id: row.try_get("project_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        r#type: crate::AppConfig::app_type(&config),
        default_agent_id: row.try_get("default_agent_id")?,
        enabled: row.try_get("enabled")?,
        config,
        last_used_at: time("last_used_at")?,
        created_at: required("created_at")?,
        updated_at: required("updated_at")?,
        id,
    })
}

fn damaged(id: &str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { id: id.to_owned(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use crate::{App, AppConfig, Store, WebClient};
    use jiff::Timestamp;

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_123 + seconds * 1000).unwrap()
    }

    fn app(id: &str) -> App {
        let web_client =
            WebClient { allowed_domains: vec!["*.example.com".parse().unwrap()], allow_anonymous: false };
        let config = AppConfig::WebClient { web_client };
        App {
            id: id.to_owned(),
            tenant_id: "acme".to_owned(),
            project_id: "docs".to_owned(),
            name: "Bücher; DROP TABLE apps".to_owned(),
            description: None,
            r#type: config.app_type(),
            default_agent_id: Some("echo".to_owned()),
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
        for config in [
            "{}",
            "{\"type\":\"web_client\",\"webClient\":{\"allowedDomains\":[\"https://x\"],\"allowAnonymous\":true}}",
        ] {
            sqlx::query("UPDATE apps SET config = $1").bind(config).execute(&store.pool).await.unwrap();
            let error = store.find_app("app_1").await.unwrap_err();
            assert!(error.to_string().starts_with("app app_1 cannot be read: "), "{error}");
        }
    }
}
