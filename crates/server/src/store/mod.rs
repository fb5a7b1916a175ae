//! What must be remembered, in a database. All SQL is in this module, and none of it leaves.

mod apps;
mod challenges;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};
use std::str::FromStr;
use std::time::Duration;

/// The database. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the database did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none that this server can use.
    #[error("the address must begin with sqlite://")]
    Address,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Its tables could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what this version cannot read.
    #[error("app {id} cannot be read: {problem}")]
    Damaged {
        /// The app's id.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Store {
    /// Opens the database at `url` (`sqlite://path`), making it if need be, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// If there is no database to be had at `url`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("sqlite:") {
            return Err(StoreError::Address);
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Enough with WAL for a crash of the server. One of the machine may forget the last moments, and no more.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10));
        // In memory each connection would be a database of its own, gone with the connection.
        let pool = if url.contains(":memory:") || url.contains("mode=memory") {
            SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None)
        } else {
            SqlitePoolOptions::new().max_connections(8)
        };
        let pool = pool.acquire_timeout(Duration::from_secs(10)).connect_with(options).await?;
        // The lock is taken first, so that of instances that start together one migrates and the others wait.
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        // What `run` does, for a connection at hand: `run` itself cannot be called from a spawned task here.
        migrations().run_direct(None, &mut *transaction, false).await?;
        transaction.commit().await?;
        Ok(Self { pool })
    }

    /// Finishes what is under way and lets go of the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn migrations() -> Migrator {
    let sources = [(
        1,
        "apps and spent challenges",
        include_str!("../../migrations/sqlite/0001_apps_and_spent_challenges.sql"),
    )];
    let migrations = sources.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}
