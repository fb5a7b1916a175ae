//! `health`: checks whether the running server of this configuration responds, for `HEALTHCHECK` in a Dockerfile.

use super::serve::reachable;
use crate::CommandError;
use axum::body::Body;
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use saltmine_server::config::{HealthArguments, admin_address};
use std::error::Error;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

/// The time limit of the server's response.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Succeeds if the server responds with 200.
pub(crate) async fn run(arguments: &HealthArguments) -> Result<(), CommandError> {
    let address = match admin_address(arguments.admin_address.as_deref())? {
        Some(address) => address.to_string(),
        None => format!("{}:{}", arguments.host, arguments.port),
    };
    let path = if arguments.ready { "/readyz" } else { "/healthz" };
    let asked = tokio::time::timeout(TIME_LIMIT, ask(&address, path)).await;
    let problem = match asked {
        Ok(Ok(200)) => return Ok(()),
        Ok(Ok(status)) => format!("it responds to {path} with {status}"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it does not respond within {} s", TIME_LIMIT.as_secs()),
    };
    Err(CommandError::Health { address, problem })
}

async fn ask(address: &str, path: &str) -> Result<u16, Box<dyn Error>> {
    let resolved = lookup_host(address).await?.next().ok_or("the address does not exist")?;
    let stream = TcpStream::connect(reachable(resolved)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request =
        Request::get(path).header("host", address).header("connection", "close").body(Body::empty())?;
    // Drives the request; when the connection fails, so does the request.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?.status().as_u16())
}
