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
