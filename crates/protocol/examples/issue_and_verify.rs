//! Issues and verifies challenges of version 2 on the command line, for tests against other implementations.
//!
//! - `issue ALGORITHM COST MEMORY_COST COUNTER` prints a deterministic challenge with that counter.
//! - `issue-prefix ALGORITHM COST MEMORY_COST PREFIX` prints a challenge that any key with the prefix solves.
//! - `verify PAYLOAD` prints `verified`, or why the payload (base64) is refused.
#![allow(clippy::disallowed_methods, reason = "the program is where time and randomness come from")]

use std::time::{SystemTime, UNIX_EPOCH};

use saltmine_protocol::v2::{
    Algorithm, HmacAlgorithm, Issued, Parameters, Secrets, Settings, issue_deterministic, issue_probabilistic,
};
use saltmine_protocol::{Payload, read_header};
use saltmine_solver::kdf::{self, CounterMode};

const SECRETS: Secrets<'static> = Secrets {
    signature: b"the signature secret of an example",
    key: Some(b"the key secret of an example"),
    hmac: HmacAlgorithm::Sha256,
};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let texts: Vec<_> = arguments.iter().map(String::as_str).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    match texts[..] {
        ["issue", algorithm, cost, memory_cost, counter] => {
            let counter = counter.parse()?;
            let settings = settings(algorithm, cost, memory_cost)?;
            let issued = issue_deterministic(
                &SECRETS,
                &settings,
                &(counter..=counter),
                now,
                &mut fill,
                |parameters, counter| Ok::<_, getrandom::Error>(derive(parameters, counter)),
            )?;
            print(&issued);
        }
        ["issue-prefix", algorithm, cost, memory_cost, prefix] => {
            let settings = settings(algorithm, cost, memory_cost)?;
            print(&issue_probabilistic(&SECRETS, &settings, prefix, now, &mut fill)?);
        }
        ["verify", payload] => match read_header(payload) {
            Ok(Payload::V2(payload)) => {
                let result = payload.verify(&SECRETS, now, |_| true, |of, counter| Some(derive(of, counter)));
                match result {
                    Ok(_) => println!("verified"),
                    Err(refusal) => println!("{refusal:?}"),
                }
            }
            other => println!("{other:?}"),
        },
        _ => return Err("see the comment at the beginning of this example".into()),
    }
    Ok(())
}

fn print(issued: &Issued) {
    println!("{}", issued.to_json());
}

fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    getrandom::fill(bytes)
}

fn settings(algorithm: &str, cost: &str, memory_cost: &str) -> Result<Settings, Failure> {
    let algorithm = Algorithm::from_name(algorithm).ok_or("unknown algorithm")?;
    let (cost, memory_cost) = (cost.parse()?, memory_cost.parse()?);
    let settings =
        Settings { algorithm, cost, memory_cost, parallelism: 1, key_length: 32, ttl_seconds: 600 };
    settings.check()?;
    Ok(settings)
}

fn derive(parameters: &Parameters, counter: u32) -> Vec<u8> {
    let Parameters { nonce, salt, cost, memory_cost, parallelism, key_length, .. } = parameters;
    let algorithm = kdf::Algorithm::from_name(parameters.algorithm.name()).expect("both crates have it");
    let parameters = kdf::Parameters {
        algorithm,
        nonce,
        salt,
        cost: *cost,
        memory_cost: *memory_cost,
        parallelism: *parallelism,
        key_length: *key_length,
        counter_mode: CounterMode::Uint32,
    };
    kdf::derive(&parameters, counter.into()).expect("the parameters were checked")
}
