//! The reference server for the saltmine client.
