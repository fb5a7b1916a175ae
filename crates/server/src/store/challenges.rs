use super::{Store, StoreError};

impl Store {
    /// Marks a challenge as spent: `true` for the first who tries, however many do so at once, and `false` ever after.
    pub(crate) async fn spend_challenge(
        &self,
        digest: &[u8; 32],
        expires_at_seconds: u64,
    ) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO spent_challenges (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(digest.as_slice())
        .bind(signed(expires_at_seconds))
        .execute(&self.pool)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// Forgets at most `limit` spent challenges that ended before `seconds`, and says how many those were.
    pub(crate) async fn forget_challenges(&self, seconds: u64, limit: u32) -> Result<u64, StoreError> {
        let deleted = sqlx::query(
            "DELETE FROM spent_challenges WHERE digest IN \
             (SELECT digest FROM spent_challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        )
        .bind(signed(seconds))
        .bind(i64::from(limit))
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}

/// Databases count in signed integers; a time beyond them is for ever.
fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
