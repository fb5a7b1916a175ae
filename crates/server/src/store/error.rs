use std::sync::Arc;

/// The reason why the database failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one of a supported database.
    #[error("the address must begin with sqlite:// or postgres://")]
    Address,
    /// The database failed.
    #[error(transparent)]
    Database(Arc<sqlx::Error>),
    /// Its tables could not be brought up to date.
    #[error(transparent)]
    Migration(Arc<sqlx::migrate::MigrateError>),
    /// The database did not respond in time.
    #[error("the database did not respond in time")]
    TimedOut,
    /// The disk of SQLite's file has less space than a server needs.
    #[error("the disk of the database has {free} bytes left: delete files on it, or move the database")]
    DiskFull {
        /// Bytes that it has left.
        free: u64,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A row has a value that this version cannot read.
    #[error("{id} cannot be read: {problem}")]
    Damaged {
        /// The id of the row.
        id: String,
        /// The problem.
        problem: String,
    },
}

impl StoreError {
    /// Returns whether the database is unavailable or busy, so that a later attempt may succeed.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::TimedOut | Self::Closed | Self::DiskFull { .. } => true,
            Self::Database(error) => match &**error {
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
                // The connection failed, not the statement: the next one may work. A database that stops while a
                // connection is being opened is an error of the protocol.
                sqlx::Error::Io(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::BeginFailed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing(&code)),
                _ => false,
            },
            Self::Address | Self::Migration(_) | Self::Damaged { .. } => false,
        }
    }

    /// Returns whether another connection has locked the SQLite file.
    pub(super) fn is_locked(&self) -> bool {
        let Self::Database(error) = self else { return false };
        error.as_database_error().and_then(|error| primary_code(&error.code()?)) == Some(SQLITE_BUSY)
    }
}

/// SQLite's code of a database that another connection has locked.
const SQLITE_BUSY: u32 = 5;

/// Returns the primary result code of SQLite, which is the last byte of an extended one.
fn primary_code(code: &str) -> Option<u32> {
    Some(code.parse::<u32>().ok()? & 0xff)
}

/// PostgreSQL's codes of a lost connection (08), a lack of resources (53), a server that stops or starts (57P), a
/// read-only database (25006), a cancelled statement (57014), a lock that was not granted in time (55P03), a conflict of
/// transactions (40001, 40P01) and a failed read or write of a file (58030); SQLite's of
/// a lock, a read-only file, a failed read or write, a full disk and a file that cannot be opened.
fn is_passing(code: &str) -> bool {
    const POSTGRES: [&str; 9] = ["08", "53", "57P", "25006", "57014", "55P03", "40001", "40P01", "58030"];
    const SQLITE_LOCKED: u32 = 6;
    const SQLITE_READONLY: u32 = 8;
    const SQLITE_IOERR: u32 = 10;
    const SQLITE_FULL: u32 = 13;
    const SQLITE_CANTOPEN: u32 = 14;
    match code.len() {
        5 => POSTGRES.iter().any(|class| code.starts_with(class)),
        _ => primary_code(code).is_some_and(|code| {
            matches!(
                code,
                SQLITE_BUSY | SQLITE_LOCKED | SQLITE_READONLY | SQLITE_IOERR | SQLITE_FULL | SQLITE_CANTOPEN
            )
        }),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(Arc::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::is_passing;
    use crate::Store;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    /// PostgreSQL closes a new connection so if it stops meanwhile: sqlx takes the missing byte for an invalid one.
    #[tokio::test]
    async fn a_database_that_stops_during_a_connection_attempt_may_work_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let stops = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            // The request for TLS.
            connection.read_exact(&mut [0; 8]).await.expect("8 bytes");
        });
        let error = Store::open(&format!("postgres://saltmine@127.0.0.1:{port}/saltmine"))
            .await
            .expect_err("no server");
        stops.await.expect("no panic");
        assert!(error.is_passing(), "{error}");
    }

    #[test]
    fn a_database_that_may_work_again_is_told_from_one_that_will_not() {
        for code in [
            "08006", "53300", "57P01", "57P03", "25006", "57014", "40001", "40P01", "55P03", "58030", "5",
            "261", "8", "1032", "13",
        ] {
            assert!(is_passing(code), "{code}");
        }
        for code in ["42P01", "23505", "22P02", "25001", "1", "19", "2067", "x"] {
            assert!(!is_passing(code), "{code}");
        }
    }
}
