//! A fresh database for a test: a file of SQLite, or, where `SALTMINE_TEST_POSTGRES_URL` names a server, a schema of
//! PostgreSQL.

use sqlx::{Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The server whose schemas the tests use: `postgres://user@host/name`.
const POSTGRES: &str = "SALTMINE_TEST_POSTGRES_URL";

pub struct Database {
    /// What `DATABASE_URL` would be.
    pub url: String,
    /// Gone with the test.
    _folder: TempDir,
}

impl Database {
    pub async fn fresh() -> Self {
        let folder = TempDir::new().unwrap();
        let url = match std::env::var(POSTGRES) {
            Ok(server) => fresh_schema(&server).await,
            Err(_) => format!("sqlite://{}", folder.path().join("test.db").display()),
        };
        Self { url, _folder: folder }
    }
}

async fn fresh_schema(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let mut connection = PgConnection::connect(server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let between = if server.contains('?') { '&' } else { '?' };
    format!("{server}{between}options[search_path]={name}")
}
