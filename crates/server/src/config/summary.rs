//! The lines that the server logs when it starts: the protections that are on, and a warning for each that is off.

use super::{Config, limits, management};
use crate::defaults::CLIENTS_MAX_NUMBER;
use crate::store::StoreKind;
use crate::{KeyDerivation, PowScope, PowVersions, ProofOfWork};

/// One line of the start-up summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryLine {
    /// Whether the line is a warning that a protection is off.
    pub is_warning: bool,
    /// The sentence.
    pub text: String,
}

impl Config {
    /// Returns the lines of the start-up summary. None contains a secret.
    #[must_use]
    pub fn summary(&self) -> Vec<SummaryLine> {
        let on = |text: String| SummaryLine { is_warning: false, text };
        let off = |text: &str| SummaryLine { is_warning: true, text: text.to_owned() };
        let settings = &self.settings;
        let mut lines = vec![
            match &settings.proof_of_work {
                Some(pow) => {
                    let scope = match pow.scope {
                        PowScope::Session => "for each session",
                        PowScope::Request => "for each session and each message",
                    };
                    on(format!("proof of work: on, {scope}, {}, within {} s", price(pow), pow.ttl_seconds))
                }
                None => {
                    off("proof of work: off, so that any script opens sessions; set INKEEP_POW_HMAC_SECRET")
                }
            },
            match settings.rate_limit {
                Some(limit) => on(format!(
                    "rate limit: {} requests a second for each address, bursts of {}",
                    limit.per_second, limit.burst
                )),
                None => off("rate limit: off; set SALTMINE_RATE_LIMIT, for example to 20/60"),
            },
            if settings.trusted_proxies.is_empty() {
                off(
                    "trusted proxies: none, so that behind a proxy all visitors share its address and its limits; set SALTMINE_TRUSTED_PROXIES if there is one",
                )
            } else {
                let proxies: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
                on(format!("trusted proxies: {}", proxies.join(", ")))
            },
            match &self.agent {
                Some(agent) => on(format!("agent: chat completions, model {}", agent.model)),
                None => {
                    off("agent: the built-in one, which repeats what it receives; set SALTMINE_AGENT_URL")
                }
            },
            match StoreKind::of(&self.database_url) {
                Some(StoreKind::Postgres { is_verified: false }) => off(
                    "database: PostgreSQL whose certificate is not checked; add ?sslmode=verify-full to DATABASE_URL if it is reached over a network",
                ),
                Some(StoreKind::Postgres { is_verified: true }) => {
                    on("database: PostgreSQL with a checked certificate".to_owned())
                }
                Some(StoreKind::Sqlite(file)) => {
                    on(format!("database: SQLite, {}, for one instance", file.display()))
                }
                // `check` refuses it.
                None => off("database: unknown; correct DATABASE_URL"),
            },
            on(match (&settings.management_key, &settings.management.read_key) {
                (Some(_), Some(_)) => "management API: open to the management key and the read-only key",
                (Some(_), None) => "management API: open to the management key",
                (None, Some(_)) => "management API: open to the read-only key",
                (None, None) => "management API: closed",
            }
            .to_owned()),
            match self.admin_address {
                Some(address) => {
                    on(format!("admin listener: {address}, for management API, metrics and health checks"))
                }
                None => on("admin listener: none, so that the public one has its routes too".to_owned()),
            },
            match settings.retention {
                Some(time) => on(format!(
                    "retention: conversations are deleted {} days after their last message",
                    time.as_secs() / 86_400
                )),
                None => on("retention: conversations are kept until they are deleted".to_owned()),
            },
        ];
        if let Some(pow) = settings.proof_of_work.as_ref().filter(|pow| pow.max_number > CLIENTS_MAX_NUMBER) {
            lines.push(off(&format!(
                "difficulty: INKEEP_POW_DIFFICULTY is {}, and the client refuses challenges over {CLIENTS_MAX_NUMBER} unless its option maxNumber is higher",
                pow.max_number
            )));
        }
        if settings.management_key.is_some() || settings.management.read_key.is_some() {
            lines.push(management::summary(&settings.management));
        }
        lines.extend(limits::summary(&settings.limits, settings.proof_of_work.is_some()));
        lines
    }
}

/// Describes the work of a solution, by version.
#[must_use]
pub fn price(pow: &ProofOfWork) -> String {
    let KeyDerivation { algorithm, cost, memory_cost, counters } = &pow.key_derivation;
    let memory =
        if algorithm.is_memory_hard() { format!(" and memory {memory_cost}") } else { String::new() };
    let (name, first, last) = (algorithm.name(), counters.start(), counters.end());
    let v1 = format!("version 1 with numbers up to {}", pow.max_number);
    let v2 = format!("version 2 with {name} of cost {cost}{memory}, counters {first} to {last}");
    match pow.versions {
        PowVersions::V1 => v1,
        PowVersions::V2Only => v2,
        PowVersions::V2 if !pow.has_unbound_route() => v2,
        PowVersions::V2 => format!("{v2}, and for older clients {v1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use crate::SystemRandom;
    use clap::Parser;

    const SECRET: &str = "a secret that has more than thirty-two characters";

    fn warnings(arguments: &[&str]) -> Vec<String> {
        let all = [&["saltmine-server", "--anon-jwt-secret", SECRET], arguments].concat();
        let config = Arguments::try_parse_from(all).unwrap().check(&SystemRandom).unwrap();
        let lines = config.summary();
        assert!(lines.iter().all(|line| !line.text.contains(SECRET) && !line.text.contains("hunter2")));
        let warnings = lines.into_iter().filter(|line| line.is_warning);
        warnings.map(|line| line.text.split(':').next().unwrap().to_owned()).collect()
    }

    fn management_line(arguments: &[&str]) -> String {
        let all = [&["saltmine-server", "--anon-jwt-secret", SECRET], arguments].concat();
        let config = Arguments::try_parse_from(all).unwrap().check(&SystemRandom).unwrap();
        let mut lines = config.summary().into_iter();
        lines.find(|line| line.text.starts_with("management API")).unwrap().text
    }

    #[test]
    fn each_management_key_is_reported() {
        let full = ["--manage-api-bypass-secret", "a management key"];
        let read = ["--manage-read-key", "a key that changes nothing"];
        assert_eq!(management_line(&[]), "management API: closed");
        assert_eq!(management_line(&full), "management API: open to the management key");
        assert_eq!(management_line(&read), "management API: open to the read-only key");
        assert_eq!(
            management_line(&[full, read].concat()),
            "management API: open to the management key and the read-only key"
        );
    }

    #[test]
    fn everything_that_is_off_is_a_warning() {
        assert_eq!(
            warnings(&["--rate-limit", "off"]),
            ["proof of work", "rate limit", "trusted proxies", "agent"]
        );
        let on = [
            "--pow-hmac-secret",
            SECRET,
            "--trusted-proxies",
            "10.0.0.1",
            "--agent-url",
            "https://api.example.com/?key=hunter2",
            "--agent-model",
            "m",
            "--database-url",
            "postgres://me:hunter2@db/x?sslmode=require",
        ];
        assert_eq!(warnings(&on), ["database"]);
        let verified = [&on[..9], &["postgres://me:hunter2@db/x?sslmode=verify-full"]].concat();
        assert_eq!(warnings(&verified), [""; 0]);
        let hard = [&verified[..], &["--pow-difficulty", "10000001"]].concat();
        assert_eq!(warnings(&hard), ["difficulty"]);
    }
}
