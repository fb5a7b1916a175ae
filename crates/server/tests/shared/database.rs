//! A fresh database for a test: a SQLite file, or a PostgreSQL schema if `SALTMINE_TEST_POSTGRES_URL` names a server.

use sqlx::{Connection, PgConnection, SqliteConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// The variable that names the server whose schemas the tests use: `postgres://user@host/name`.
const POSTGRES: &str = "SALTMINE_TEST_POSTGRES_URL";

pub struct Database {
    /// The value for `DATABASE_URL`.
    pub url: String,
    /// Deleted at the end of the test.
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

    /// Returns the database at this URL.
    pub fn at(url: String) -> Self {
        Self { url, _folder: TempDir::new().unwrap() }
    }

    /// Runs a PostgreSQL statement of the test.
    pub async fn execute(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    /// Blocks the marking of challenges until this is dropped: the statement hangs, as if the database were unavailable.
    pub async fn hold(&self) -> Aside {
        self.hold_by("BEGIN; LOCK TABLE spent_challenges").await
    }

    /// Blocks the storage of messages until this is dropped.
    pub async fn hold_messages(&self) -> Aside {
        self.hold_by("BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE").await
    }

    /// Blocks changes of API keys until this is dropped.
    pub async fn hold_api_keys(&self) -> Aside {
        self.hold_by("BEGIN; LOCK TABLE api_keys IN EXCLUSIVE MODE").await
    }

    /// Locks by a statement of PostgreSQL. SQLite has one lock for all.
    async fn hold_by(&self, postgres: &'static str) -> Aside {
        self.run(if self.url.starts_with("sqlite") { "BEGIN IMMEDIATE" } else { postgres }).await
    }

    /// Returns the number of a query.
    pub async fn count(&self, sql: &'static str) -> i64 {
        match self.run("SELECT 1").await {
            Aside::Sqlite(mut connection) => {
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
            Aside::Postgres(mut connection) => {
                sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
            }
        }
    }

    /// Returns the texts of a query.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        match self.run("SELECT 1").await {
            Aside::Sqlite(mut connection) => {
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
            Aside::Postgres(mut connection) => {
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Returns all stored data: the bytes of the SQLite file, or the rows of all PostgreSQL tables as text.
    pub async fn contents(&self) -> Vec<u8> {
        if let Some(path) = self.url.strip_prefix("sqlite://") {
            return std::fs::read(path).unwrap();
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        // ASCII in binary columns stays readable.
        sqlx::query("SET bytea_output = 'escape'").execute(&mut connection).await.unwrap();
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
        let mut contents = String::new();
        for table in tables {
            let rows = sqlx::AssertSqlSafe(format!("SELECT entry::text FROM {table} AS entry"));
            let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
            contents += &rows.join("\n");
        }
        contents.into_bytes()
    }

    /// Runs statements on another connection than the server's.
    pub async fn run(&self, sql: &'static str) -> Aside {
        if self.url.starts_with("sqlite") {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            return Aside::Sqlite(connection);
        }
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        Aside::Postgres(connection)
    }
}

/// A connection that is not the server's, possibly with a transaction.
#[allow(dead_code, reason = "kept to be dropped")]
pub enum Aside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Aside {
    /// Runs a statement in the transaction.
    #[allow(dead_code, reason = "not every test needs it")]
    pub async fn execute(&mut self, sql: &'static str) {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
        }
        .unwrap();
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
