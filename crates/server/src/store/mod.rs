//! The database. All SQL is in this module.
//!
//! Every statement is written once, in the SQL that SQLite and PostgreSQL share; `Locks` are the exception.

mod api_keys;
mod apps;
mod audit;
mod challenges;
mod conversations;
mod error;
#[cfg(test)]
mod full_disk_tests;
mod lifecycle;
mod migrations;
mod page;
mod revocations;
mod row;
mod widget_events;

pub(crate) use conversations::MessageBatch;
pub use error::StoreError;
pub(crate) use page::{Page, PageRequest};

use crate::private_file;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqliteConnection, SqlitePool};
use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How long a request waits for a connection, a statement of SQLite for another process's transaction, and whatever must
/// end for a database that has gone away without a word.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long statements under way may take when the store is closed.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// The database. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Store {
    reader: Pool,
    writer: Pool,
    spending: challenges::Spending,
    locks: &'static Locks,
}

/// Whether a visitor was erased after a time.
const ERASED: &str =
    "SELECT EXISTS (SELECT 1 FROM erasures WHERE client_id = $1 AND user_id = $2 AND erased_at > $3)";

/// Statements that lock something until the transaction ends.
#[derive(Debug)]
struct Locks {
    /// Find an app and an API key, and keep them from being deleted.
    client: [&'static str; 2],
    /// Finds a conversation of a visitor, and keeps it from being deleted.
    conversation: Option<&'static str>,
    /// Keeps the erasure of a visitor waiting, and waits for one.
    turn_of_visitor: Option<&'static str>,
    /// Waits for the turns of a visitor that are being stored, and keeps others waiting.
    erasure_of_visitor: Option<&'static str>,
}

impl Locks {
    /// SQLite locks its file with the first write.
    const SQLITE: Self = Self {
        client: ["SELECT 1 FROM apps WHERE id = $1", "SELECT 1 FROM api_keys WHERE id = $1"],
        conversation: None,
        turn_of_visitor: None,
        erasure_of_visitor: None,
    };

    /// A visitor has no row that could be locked: the key of the lock is a hash of the client and the user.
    const POSTGRES: Self = Self {
        client: [
            "SELECT 1 FROM apps WHERE id = $1 FOR KEY SHARE",
            "SELECT 1 FROM api_keys WHERE id = $1 FOR KEY SHARE",
        ],
        conversation: Some(
            "SELECT 1 FROM conversations WHERE client_id = $1 AND id = $2 AND user_id = $3 FOR KEY SHARE",
        ),
        turn_of_visitor: Some("SELECT pg_advisory_xact_lock_shared(hashtextextended($1 || ' ' || $2, 0))"),
        erasure_of_visitor: Some("SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))"),
    };
}

/// Connections to one kind of database.
#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The kind of database that an address names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// SQLite, with its file.
    Sqlite(PathBuf),
    /// PostgreSQL.
    Postgres {
        /// Whether the server's certificate is checked, or the connection stays on this machine.
        is_verified: bool,
    },
}

impl StoreKind {
    /// Returns the kind, unless the address is none that this server can use.
    pub(crate) fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(url).ok()?;
                Some(Self::Sqlite(options.get_filename().to_owned()))
            }
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(url).ok()?;
                let is_local = matches!(options.get_host(), "localhost" | "127.0.0.1" | "::1" | "[::1]")
                    || options.get_host().starts_with('/');
                // `require` encrypts, and accepts any certificate.
                let is_checked =
                    matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
                Some(Self::Postgres { is_verified: is_local || is_checked })
            }
            _ => None,
        }
    }
}

/// Runs the same code on either kind of connections.
macro_rules! on {
    ($pool:expr, $db:ident => $body:expr) => {
        match &$pool {
            $crate::store::Pool::Sqlite($db) => $body,
            $crate::store::Pool::Postgres($db) => $body,
        }
    };
}
use on;
pub(crate) use widget_events::{EventOutcome, FeedbackOutcome, ReportFilter};

impl Store {
    /// The connections that [`open`](Self::open) keeps to PostgreSQL at most.
    pub const CONNECTIONS: u32 = 16;

    /// Opens the database at `url` (`sqlite://path` or `postgres://…`) and brings its tables up to date. A file of
    /// SQLite is made if need be.
    ///
    /// # Errors
    ///
    /// If there is no database to be had at `url`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Self::CONNECTIONS).await
    }

    /// The same with at most so many connections to PostgreSQL.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        let (reader, writer) = match url.split_once(':') {
            Some(("sqlite", _)) => open_sqlite(url).await?,
            Some(("postgres" | "postgresql", _)) => {
                let options = PgConnectOptions::from_str(url)?.application_name("saltmine-server");
                let pool = PgPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(PATIENCE)
                    .after_release(|connection, _| Box::pin(still_answers(connection)))
                    .connect_with(options)
                    .await?;
                (Pool::Postgres(pool.clone()), Pool::Postgres(pool))
            }
            _ => return Err(StoreError::Address),
        };
        migrations::run(&writer).await?;
        let locks = match writer {
            Pool::Sqlite(_) => &Locks::SQLITE,
            Pool::Postgres(_) => &Locks::POSTGRES,
        };
        Ok(Self { spending: challenges::Spending::start(writer.clone()), reader, writer, locks })
    }

    /// Checks that the database takes writes, and in time.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub(crate) async fn check_writable(&self, patience: Duration) -> Result<(), StoreError> {
        // Deletes nothing, and is refused all the same where the database is read-only.
        const WRITE: &str = "DELETE FROM spent_challenges WHERE expires_at = -1";
        let write = async {
            on!(self.writer, db => sqlx::query(WRITE).execute(db).await.map(|_| ()))?;
            Ok(())
        };
        tokio::time::timeout(patience, write).await.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Returns how many connections there are to the database.
    pub(crate) fn connections(&self) -> Connections {
        let of = |pool: &Pool| {
            on!(*pool, db => Connections {
                open: db.size(),
                idle: u32::try_from(db.num_idle()).unwrap_or(u32::MAX),
                max: db.options().get_max_connections(),
            })
        };
        let (reader, writer) = (of(&self.reader), of(&self.writer));
        match self.writer {
            // They are the same pool.
            Pool::Postgres(_) => writer,
            Pool::Sqlite(_) => Connections {
                open: reader.open + writer.open,
                idle: reader.idle + writer.idle,
                max: reader.max + writer.max,
            },
        }
    }

    /// Finishes what is under way, if the database lets it, and lets go of it.
    pub async fn close(&self) {
        let close = async {
            on!(self.reader, db => db.close().await);
            on!(self.writer, db => db.close().await);
        };
        if tokio::time::timeout(CLOSE_TIME, close).await.is_err() {
            tracing::warn!("left the database with statements under way");
        }
    }
}

/// Connections to the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// Those that exist.
    pub(crate) open: u32,
    /// Those of them that no statement uses.
    pub(crate) idle: u32,
    /// How many there may be.
    pub(crate) max: u32,
}

/// Whether a connection that comes back to the pool may be lent again. The pool would ask it without a time limit: one
/// whose other end is gone would keep its place for ever.
async fn still_answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let ping = tokio::time::timeout(PATIENCE, connection.ping()).await;
    ping.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
    Ok(true)
}

/// Returns whether a connection of SQLite has no transaction; one that has is closed.
///
/// On a full disk SQLite rolls back by itself, and the rollback of sqlx then fails. From then on sqlx counts a transaction
/// that does not exist, begins each further one as a savepoint, and may leave one open for good: whatever is written later
/// would look stored to this connection, and be gone with it.
async fn is_outside_of_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Its response comes behind that of a rollback that is still queued.
    connection.ping().await?;
    let has_transaction = connection.is_in_transaction();
    if has_transaction {
        tracing::warn!("closing a connection to SQLite whose transaction could not be rolled back");
    }
    Ok(!has_transaction)
}

/// Connections that read, and the one that writes: SQLite has one writer at a time, and those who wait for it in a
/// queue wait less than those who try again and again.
async fn open_sqlite(url: &str) -> Result<(Pool, Pool), StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Enough with WAL for a crash of the server. One of the machine may forget the last moments, and no more.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PATIENCE)
        // A statement for each size of a batch, and all rows that one gives back at once.
        .statement_cache_capacity(2 * challenges::BATCH)
        .row_buffer_size(challenges::BATCH);
    let one = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .after_release(|connection, _| Box::pin(is_outside_of_transactions(connection)))
        // A database in memory is gone with its connection.
        .idle_timeout(None)
        .max_lifetime(None);
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    if !in_memory {
        // Only its owner may read the conversations in it: SQLite gives the files beside it the same rights. If this
        // fails, SQLite reports the reason.
        let _ = private_file::options().append(true).create(true).open(options.get_filename());
    }
    let writer = connect_while_locked(&one, &options).await?;
    if in_memory {
        // And each further connection would be to a database of its own.
        return Ok((Pool::Sqlite(writer.clone()), Pool::Sqlite(writer)));
    }
    let reader =
        SqlitePoolOptions::new().max_connections(8).acquire_timeout(PATIENCE).connect_with(options).await?;
    Ok((Pool::Sqlite(reader), Pool::Sqlite(writer)))
}

/// Opens the first connection, which makes the database one with a write-ahead log. Where two instances do that at the
/// same time, each waits for the other to let go of its read lock, and SQLite refuses one of them at once, whatever its
/// busy timeout ([`sqlite3_busy_handler`](https://www.sqlite.org/c3ref/busy_handler.html)): that one tries again.
async fn connect_while_locked(
    pool: &SqlitePoolOptions,
    options: &SqliteConnectOptions,
) -> Result<SqlitePool, StoreError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let start = tokio::time::Instant::now();
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(StoreError::from) {
            Err(error) if error.is_locked() && start.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            result => return result,
        }
    }
}

/// A row that holds what it must not.
fn damaged(id: &str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { id: id.to_owned(), problem: problem.to_string() }
}

/// A time as it is kept, in Unix milliseconds.
fn time(id: &str, milliseconds: i64) -> Result<jiff::Timestamp, StoreError> {
    jiff::Timestamp::from_millisecond(milliseconds).map_err(|error| damaged(id, error))
}

/// Text that a database can hold. PostgreSQL has no NUL in its texts: what asks for one finds nothing.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// The text with U+FFFD in the place of each NUL.
pub(crate) fn storable<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let text = text.into();
    if is_storable(&text) { text } else { text.replace('\0', "\u{fffd}").into() }
}
