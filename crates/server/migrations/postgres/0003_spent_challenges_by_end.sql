-- Ordered by their end: those that are spent now lie together, and so do those that are forgotten. A digest has one end,
-- which is a part of what it is the digest of, so that the two are as unique as the digest alone.
CREATE TABLE spent_challenges_by_end (
    -- Unix seconds.
    expires_at BIGINT NOT NULL,
    -- The digest that the solution hashes to: the same for every spelling of it.
    digest BYTEA NOT NULL,
    PRIMARY KEY (expires_at, digest)
);

INSERT INTO spent_challenges_by_end (expires_at, digest) SELECT expires_at, digest FROM spent_challenges;

DROP TABLE spent_challenges;

ALTER TABLE spent_challenges_by_end RENAME TO spent_challenges;
