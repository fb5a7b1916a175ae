//! The proof-of-work search: a job and a range in, the number out.
