//! `serve` and `check-config`: check the configuration, build the server and listen.

use crate::CommandError;
use crate::logging::{self, STARTUP};
use saltmine_server::config::{self, Arguments, Config, Environment, SummaryLine};
use saltmine_server::development::{self, DEMO_APP_ID};
use saltmine_server::{Agents, AppState, ChatCompletions, Listeners, Store, SystemRandom, serve};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;

/// The exit status after a second signal, the same as that of a process that SIGINT ended.
#[cfg(unix)]
const EXIT_SECOND_SIGNAL: i32 = 130;

/// Checks the configuration without using it, and prints the summary.
pub(crate) fn check_config(arguments: Arguments) -> Result<(), CommandError> {
    let config = arguments.check_only(&SystemRandom)?;
    let mut text = String::new();
    for SummaryLine { is_warning, text: line } in config.summary() {
        text += &format!("{}{line}\n", if is_warning { "warning: " } else { "" });
    }
    // A closed stdout does not make the configuration wrong.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// Runs the server until it receives a signal.
pub(crate) async fn run(arguments: Arguments) -> Result<(), CommandError> {
    let traces = logging::start_with_traces(&arguments.database.log)?;
    let config = arguments.check(&SystemRandom)?;
    let store = Store::open_with(&config.database_url, config.database_connections).await?;
    let mut builder = AppState::builder(config.settings.clone(), store);
    if let Some(settings) = &config.agent {
        let agent = ChatCompletions::new(settings.clone()).map_err(CommandError::Agent)?;
        let agents = Agents::built_in().with(Agents::CHAT_COMPLETIONS, agent);
        builder = builder.agents(agents.with_default(Agents::CHAT_COMPLETIONS));
    }
    let state = builder.build().map_err(CommandError::Random)?;
    let (host, port) = (&config.host, config.port);
    let cannot_listen = |problem| CommandError::Listen { host: host.clone(), port, problem };
    let public = TcpListener::bind((host.as_str(), port)).await.map_err(cannot_listen)?;
    let address = public.local_addr().map_err(cannot_listen)?;
    let mut greeting = String::new();
    let admin = match config.admin_address {
        Some(address) => {
            let cannot_listen = |problem| CommandError::ListenForAdmin { address, problem };
            let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
            let address = listener.local_addr().map_err(cannot_listen)?;
            greeting += &format!("admin listener on http://{address}\n");
            Some(listener)
        }
        None => None,
    };

    if config.environment == Environment::Production {
        for SummaryLine { is_warning, text } in config.summary() {
            if is_warning {
                tracing::warn!(target: STARTUP, "{text}");
            } else {
                tracing::info!(target: STARTUP, "{text}");
            }
        }
    }
    if state.check_shared_counters().await == Some(false) {
        tracing::warn!(
            target: STARTUP,
            "counters: Redis does not respond, so that each instance counts for itself until it does; see SALTMINE_REDIS_URL"
        );
    }
    let stop = stop_signal(state.clone(), config.drain_time).map_err(CommandError::Serve)?;
    if config.environment == Environment::Development {
        development::seed_demo_app(&state).await?;
        greeting += &banner(&config, address);
    }
    greeting += &format!("listening on http://{address}\n");
    // A closed stdout must not stop the server: it only means that nobody reads this text.
    let _ = io::stdout().write_all(greeting.as_bytes());

    let result = serve(Listeners { public, admin }, state, stop).await.map_err(CommandError::Serve);
    traces.end().await;
    result
}

/// Returns the information for a person who tries the server out.
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
        None => "  proof of work  off: INKEEP_POW_HMAC_SECRET is empty".to_owned(),
    });
    if let Some(generated) = &config.generated_secrets {
        let file = generated.file.display();
        lines.push(format!("  secrets        generated and stored in {file}: for development only"));
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

/// Returns the address by which a browser on this machine reaches a server that listens on every address.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Becomes ready when the server should stop: on SIGINT at once, on SIGTERM after `drain_time`, in which the server
/// reports that it is not ready and still accepts requests. A second signal ends the process at once.
///
/// It receives signals from the call on, not from the first poll: a program that reads the printed address may send one
/// immediately.
#[cfg(unix)]
fn stop_signal(state: AppState, drain_time: Duration) -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // Returns whether the signal asks for a drain.
    let mut received = async move || {
        tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => true,
        }
    };
    Ok(async move {
        let drains = received().await;
        tokio::spawn(async move {
            received().await;
            tracing::warn!("stopped by a second signal: pending requests are cut off");
            std::process::exit(EXIT_SECOND_SIGNAL);
        });
        state.start_draining();
        if drains && !drain_time.is_zero() {
            tracing::info!(seconds = drain_time.as_secs(), "not ready: draining before the socket is closed");
            tokio::time::sleep(drain_time).await;
        }
    })
}

/// Becomes ready when the system asks the process to end.
#[cfg(not(unix))]
fn stop_signal(state: AppState, _: Duration) -> io::Result<impl Future<Output = ()>> {
    Ok(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        state.start_draining();
    })
}
