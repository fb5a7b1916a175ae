use super::{PATIENCE, Pool, Store, StoreError, on};
use sqlx::{QueryBuilder, Row};
use std::collections::HashSet;
use tokio::sync::{mpsc, oneshot};

/// The maximum number of challenges that one statement marks.
pub(super) const BATCH: usize = 200;

/// The maximum number of challenges that wait for the next statement. Further requests wait for a free slot.
const QUEUE: usize = 4096;

/// The queue of challenges to mark as spent. All that arrive while one statement runs are in the next one, so that the
/// database commits a few times for hundreds of sessions.
#[derive(Clone, Debug)]
pub(super) struct Spending {
    queue: mpsc::Sender<Spend>,
}

#[derive(Debug)]
struct Spend {
    digest: [u8; 32],
    expires_at: i64,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

impl Spending {
    /// Starts the task that marks challenges. It ends when the last clone is dropped.
    pub(super) fn start(pool: Pool) -> Self {
        let (queue, mut waiting) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                // A request that was given up may be repeated with the same solution, which is not spent then.
                batch.retain(|spend: &Spend| !spend.answer.is_closed());
                if batch.is_empty() {
                    continue;
                }
                // Sorted: instances that insert the same rows in different orders would wait for each other for ever.
                batch.sort_unstable_by_key(|spend: &Spend| (spend.expires_at, spend.digest));
                let inserted = insert(&pool, &batch).await;
                answer(&mut batch, inserted);
            }
        });
        Self { queue }
    }
}

/// Reports to each waiting request whether it was the first. If a challenge is in a batch twice, only one of the two
/// requests is.
fn answer(batch: &mut Vec<Spend>, inserted: Result<HashSet<[u8; 32]>, StoreError>) {
    match inserted {
        Ok(mut inserted) => {
            for spend in batch.drain(..) {
                // The challenge of a request that no longer waits is spent too.
                let _ = spend.answer.send(Ok(inserted.remove(&spend.digest)));
            }
        }
        Err(error) => {
            for spend in batch.drain(..) {
                let _ = spend.answer.send(Err(error.clone()));
            }
        }
    }
}

/// Inserts the digests in one atomic statement, and returns those that were not there before.
///
/// The statement has a time limit of its own: later requests wait for it, and a database that fails in the middle never
/// responds. Challenges that were inserted in spite of a timeout are spent, although no request was accepted with them.
async fn insert(pool: &Pool, batch: &[Spend]) -> Result<HashSet<[u8; 32]>, StoreError> {
    on!(pool, db => {
        let mut query = QueryBuilder::new("INSERT INTO spent_challenges (digest, expires_at) ");
        query.push_values(batch, |mut row, spend| {
            row.push_bind(spend.digest.as_slice()).push_bind(spend.expires_at);
        });
        query.push(" ON CONFLICT (expires_at, digest) DO NOTHING RETURNING digest");
        let mut connection = db.acquire().await?;
        let rows = query.build().fetch_all(&mut *connection);
        let rows = tokio::time::timeout(PATIENCE, rows).await.map_err(|_| StoreError::TimedOut)??;
        rows.iter()
            .map(|row| {
                let digest: &[u8] = row.try_get(0)?;
                Ok(digest.try_into().unwrap_or_default())
            })
            .collect()
    })
}

impl Store {
    /// Returns the number of challenges that wait to be marked as spent.
    pub(crate) fn waiting_spends(&self) -> usize {
        let queue = &self.spending.queue;
        queue.max_capacity() - queue.capacity()
    }

    /// Marks a challenge as spent. Returns `true` for exactly one request, also if many try at the same time, and `false`
    /// for all others. The expiry must be that in the salt of the digest.
    pub(crate) async fn spend_challenge(
        &self,
        digest: &[u8; 32],
        expires_at_seconds: u64,
    ) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        let spend = Spend { digest: *digest, expires_at: signed(expires_at_seconds), answer };
        self.spending.queue.send(spend).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Deletes at most `limit` spent challenges that expired before `seconds`. Returns the number of deleted challenges.
    pub(crate) async fn forget_challenges(&self, seconds: u64, limit: u32) -> Result<u64, StoreError> {
        const FORGET: &str = "DELETE FROM spent_challenges WHERE (expires_at, digest) IN \
            (SELECT expires_at, digest FROM spent_challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";
        let (before, limit) = (signed(seconds), i64::from(limit));
        Ok(
            on!(self.writer, db => sqlx::query(FORGET).bind(before).bind(limit).execute(db).await?.rows_affected()),
        )
    }
}

/// Converts a time for the database, whose integers are signed. A later time becomes the largest one.
fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::Store;

    #[tokio::test]
    async fn so_many_are_forgotten_at_once_and_no_more() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        for number in 0..5 {
            assert!(store.spend_challenge(&[number; 32], 100 + u64::from(number)).await.unwrap());
        }
        assert_eq!(store.forget_challenges(104, 3).await.unwrap(), 3);
        assert_eq!(store.forget_challenges(104, 3).await.unwrap(), 1, "and the last has not ended");
        assert!(!store.spend_challenge(&[4; 32], 104).await.unwrap());
    }

    /// A client whose request was given up sends its solution again.
    #[tokio::test]
    async fn a_request_that_was_given_up_while_it_waited_spends_nothing() {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let mut first = Box::pin(store.spend_challenge(&[1; 32], 100));
        assert!(futures_util::poll!(&mut first).is_pending());
        drop(first);
        assert!(store.spend_challenge(&[1; 32], 100).await.unwrap());
    }
}
