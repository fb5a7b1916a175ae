use super::{Pool, StoreError};
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The migrations of a kind of database, in order.
macro_rules! migrations {
    ($kind:literal) => {
        [(1, "initial", include_str!(concat!("../../migrations/", $kind, "/0001_initial.sql")))]
    };
}

/// Brings the tables up to date. If several instances start together, one does it and the others wait.
pub(super) async fn run(pool: &Pool) -> Result<(), StoreError> {
    // `run_direct` does the same as `run`, on an existing connection: `run` cannot be called from a spawned task.
    match pool {
        Pool::Sqlite(pool) => {
            // The lock is taken first, since SQLite has no other lock for the migrator.
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            migrator(migrations!("sqlite")).run_direct(None, &mut *transaction, false).await?;
            transaction.commit().await?;
        }
        Pool::Postgres(pool) => {
            // The migrator takes an advisory lock.
            let mut connection = pool.acquire().await?;
            migrator(migrations!("postgres")).run_direct(None, &mut *connection, false).await?;
        }
    }
    Ok(())
}

fn migrator<const COUNT: usize>(files: [(i64, &'static str, &'static str); COUNT]) -> Migrator {
    let migrations = files.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}
