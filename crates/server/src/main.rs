//! The server's binary: reads the configuration, puts the parts together, and listens.

use saltmine_server::config::{self, Arguments, Config, ConfigError, Environment, SummaryLine};
use saltmine_server::development::{self, DEMO_APP_ID};
use saltmine_server::{
    AgentError, Agents, AppState, ChatCompletions, Store, StoreError, SystemClock, SystemRandom, serve,
};
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The exit status after a second signal: that of a process that SIGINT ended.
#[cfg(unix)]
const EXIT_SECOND_SIGNAL: i32 = 130;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why the server does not start. Each is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "SALTMINE_LOG is {0:?}: it must be a level such as info, or levels by module such as info,sqlx=debug."
    )]
    Log(String),
    #[error(
        "DATABASE_URL cannot be used ({0}): give the address of a database that this user may write, such as sqlite://saltmine.db or postgres://user:password@host/name."
    )]
    Database(StoreError),
    #[error(
        "The tables of the database cannot be brought up to date ({0}): restore them from a backup, or use the version of saltmine-server that made them."
    )]
    Migration(StoreError),
    #[error("HOST and PORT are {host} and {port}, which cannot be listened on ({problem}): choose others.")]
    Listen { host: String, port: u16, problem: io::Error },
    #[error("SALTMINE_AGENT_URL cannot be used ({0}): see that this machine's certificates can be read.")]
    Agent(AgentError),
    #[error("The system gives no random numbers ({0}).")]
    Random(io::Error),
    #[error("The server had to stop ({0}).")]
    Serve(io::Error),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Migration(_) => Self::Migration(error),
            _ => Self::Database(error),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(if matches!(error, StartError::Serve(_)) { 1 } else { 2 })
        }
    }
}

async fn run() -> Result<(), StartError> {
    let arguments = Arguments::read()?;
    log_to_stderr(&arguments.log)?;
    let config = arguments.check(&SystemRandom)?;
    let store = Store::open_with(&config.database_url, config.database_connections).await?;
    let mut state = AppState::new(config.settings.clone(), store, SystemClock::default(), SystemRandom)
        .map_err(StartError::Random)?;
    if let Some(settings) = &config.agent {
        let agent = ChatCompletions::new(settings.clone()).map_err(StartError::Agent)?;
        let agents = Agents::built_in().with(Agents::CHAT_COMPLETIONS, agent);
        state = state.with_agents(agents.with_default(Agents::CHAT_COMPLETIONS));
    }
    let (host, port) = (&config.host, config.port);
    let cannot_listen = |problem| StartError::Listen { host: host.clone(), port, problem };
    let listener = TcpListener::bind((host.as_str(), port)).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;

    if config.environment == Environment::Production {
        for SummaryLine { is_warning, text } in config.summary() {
            if is_warning {
                tracing::warn!("{text}");
            } else {
                tracing::info!("{text}");
            }
        }
    }
    let stop = stop_signal().map_err(StartError::Serve)?;
    let mut greeting = String::new();
    if config.environment == Environment::Development {
        development::seed_demo_app(&state).await?;
        greeting = banner(&config, address);
    }
    greeting += &format!("listening on http://{address}\n");
    // Whoever closed our stdout does not want to read this, but may want the server.
    let _ = io::stdout().write_all(greeting.as_bytes());

    serve(listener, state, stop).await.map_err(StartError::Serve)
}

fn log_to_stderr(levels: &str) -> Result<(), StartError> {
    let levels: Targets = levels.parse().map_err(|_| StartError::Log(levels.to_owned()))?;
    let format =
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(format).with(levels).init();
    Ok(())
}

/// What one who tries the server out wants to know.
fn banner(config: &Config, address: SocketAddr) -> String {
    let mut lines = vec![String::new(), "saltmine, for development".to_owned()];
    if config.settings.static_dir.is_some() {
        lines.push(format!("  page           http://{}/", reachable(address)));
    }
    lines.push(format!("  demo app       {DEMO_APP_ID}"));
    lines.push(match &config.settings.proof_of_work {
        Some(pow) => {
            format!("  proof of work  on: {}, within {} seconds", config::price(pow), pow.ttl_seconds)
        }
        None => "  proof of work  off: INKEEP_POW_HMAC_SECRET is set to nothing".to_owned(),
    });
    if let Some(drawn) = &config.drawn_secrets {
        let file = drawn.file.display();
        lines.push(format!("  secrets        drawn at random and kept in {file}: for development only"));
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

/// Where a browser on this machine finds what listens on every address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Ready when the system asks the process to stop. It listens for that from the call on, not from the first poll: whoever
/// reads the printed address may send a signal at once. A second signal ends the process without waiting.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut received = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(async move {
        received().await;
        tokio::spawn(async move {
            received().await;
            tracing::warn!("stopped by a second signal: requests under way are cut off");
            std::process::exit(EXIT_SECOND_SIGNAL);
        });
    })
}

/// Ready when the system asks the process to end.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
