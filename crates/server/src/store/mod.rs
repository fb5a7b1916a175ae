//! The database. All SQL is in this module.
//!
//! Every statement is written once, in the SQL that SQLite and PostgreSQL share; `Locks` are the exception.

mod api_keys;
mod apps;
mod audit;
mod challenges;
mod conversations;
mod disk;
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

use crate::{defaults, private_file};
use disk::Disk;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, SqliteConnection, SqlitePool};
use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The time that a request waits for a connection, that a SQLite statement waits for another process's transaction, and
/// that any other operation waits for a database that has stopped responding.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time limit of pending statements when the store is closed.
const CLOSE_TIME: Duration = Duration::from_secs(3);

/// The database. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    reader: Pool,
    writer: Pool,
    spending: challenges::Spending,
    locks: &'static Locks,
    /// The disk of SQLite's file.
    disk: Option<Disk>,
}

/// Selects whether a visitor was erased after a time.
const ERASED: &str =
    "SELECT EXISTS (SELECT 1 FROM erasures WHERE client_id = $1 AND user_id = $2 AND erased_at > $3)";

/// Statements that lock something until the transaction ends.
#[derive(Debug)]
struct Locks {
    /// Find an app and an API key, and lock them against deletion.
    client: [&'static str; 2],
    /// Finds a conversation of a visitor, and locks it against deletion.
    conversation: Option<&'static str>,
    /// Waits for an erasure of the visitor, and makes later erasures wait.
    turn_of_visitor: Option<&'static str>,
    /// Waits for the turns of a visitor that are being stored, and makes later turns wait.
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

/// The kind of the database at an address.
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
    /// Returns the kind, or `None` if the address is not one of a supported database.
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
    pub const CONNECTIONS: u32 = defaults::DATABASE_CONNECTIONS;

    /// Opens the database at `url` (`sqlite://path` or `postgres://…`) and brings its tables up to date. A missing
    /// SQLite file is created.
    ///
    /// # Errors
    ///
    /// If there is no usable database at `url`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Self::CONNECTIONS).await
    }

    /// Opens the database with at most `connections` connections to PostgreSQL, as [`open`](Self::open) does.
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
                    .after_release(|connection, _| Box::pin(is_usable(connection)))
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
        let disk = match StoreKind::of(url) {
            Some(StoreKind::Sqlite(file)) if !is_in_memory(url) => Disk::of(&file),
            _ => None,
        };
        Ok(Self { spending: challenges::Spending::start(writer.clone()), reader, writer, locks, disk })
    }

    /// Checks that the database accepts writes within the time limit.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub(crate) async fn check_writable(&self, patience: Duration) -> Result<(), StoreError> {
        // One row, which has expired: the next sweep deletes it.
        const WRITE: &str = "INSERT INTO spent_challenges (expires_at, digest) VALUES (-1, $1) \
            ON CONFLICT (expires_at, digest) DO UPDATE SET digest = excluded.digest";
        let check = async {
            on!(self.writer, db => sqlx::query(WRITE).bind(&[0_u8][..]).execute(db).await.map(|_| ()))?;
            match &self.disk {
                Some(disk) => disk.check().await,
                None => Ok(()),
            }
        };
        tokio::time::timeout(patience, check).await.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Returns the number of connections to the database.
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

    /// Finishes the pending statements, if the database responds in time, and closes the connections.
    pub async fn close(&self) {
        let close = async {
            on!(self.reader, db => db.close().await);
            on!(self.writer, db => db.close().await);
        };
        if tokio::time::timeout(CLOSE_TIME, close).await.is_err() {
            tracing::warn!("closed the database with pending statements");
        }
    }
}

/// Connections to the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    /// The number of open connections.
    pub(crate) open: u32,
    /// The number of open connections that no statement uses.
    pub(crate) idle: u32,
    /// The maximum number of connections.
    pub(crate) max: u32,
}

/// Returns whether a connection of PostgreSQL responds and has no transaction; any other one is closed.
///
/// If a request is given up while its `BEGIN` is on the way, sqlx does not know of the transaction: later statements would
/// be part of it, and be lost with the connection although they succeeded. In a transaction, `now()` is the time of its
/// start ([PostgreSQL, 9.9.5](https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-CURRENT)).
async fn is_usable(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    const HAS_NO_TRANSACTION: &str = "SELECT now() = statement_timestamp()";
    let answer = sqlx::query_scalar(HAS_NO_TRANSACTION).fetch_one(connection);
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?
}

/// Returns whether a connection of SQLite has no transaction; one that has is closed.
///
/// On a full disk SQLite rolls back by itself, and the rollback of sqlx then fails. From then on sqlx counts a transaction
/// that does not exist, begins each further one as a savepoint, and may never close one: later writes would be visible
/// only to this connection, and be lost with it.
async fn is_outside_of_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A queued rollback is completed before this statement.
    connection.ping().await?;
    let has_transaction = connection.is_in_transaction();
    if has_transaction {
        tracing::warn!("closing a connection to SQLite whose transaction could not be rolled back");
    }
    Ok(!has_transaction)
}

/// Whether the address is that of a SQLite database without a file.
fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// Connections that read, and the one that writes: SQLite has one writer at a time, and a queue in
/// this process is faster than repeated attempts to lock the file.
async fn open_sqlite(url: &str) -> Result<(Pool, Pool), StoreError> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With WAL this is safe if the server crashes. If the machine crashes, only the last moments may be lost.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PATIENCE)
        // Enough for a statement for each size of a batch, and for the rows that one statement returns.
        .statement_cache_capacity(2 * challenges::BATCH)
        .row_buffer_size(challenges::BATCH);
    let one = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .after_release(|connection, _| Box::pin(is_outside_of_transactions(connection)))
        // A database in memory is lost when its connection closes.
        .idle_timeout(None)
        .max_lifetime(None);
    let in_memory = is_in_memory(url);
    if !in_memory {
        // Only the owner may read the conversations in it: SQLite gives the files beside it the same rights. If this
        // fails, SQLite reports the reason.
        let _ = private_file::options().append(true).create(true).open(options.get_filename());
    }
    let writer = connect_while_locked(&one, &options).await?;
    if in_memory {
        // Each further connection would open a separate database.
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

/// Returns the error for a row with an invalid value.
fn damaged(id: &str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { id: id.to_owned(), problem: problem.to_string() }
}

/// Reads a stored time, in Unix milliseconds.
fn time(id: &str, milliseconds: i64) -> Result<jiff::Timestamp, StoreError> {
    jiff::Timestamp::from_millisecond(milliseconds).map_err(|error| damaged(id, error))
}

/// Returns whether a database can store the text. PostgreSQL has no NUL in its texts: a query with one finds nothing.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Returns the text with U+FFFD instead of each NUL.
pub(crate) fn storable<'a>(text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let text = text.into();
    if is_storable(&text) { text } else { text.replace('\0', "\u{fffd}").into() }
}
