use crate::{AppState, app, maintenance};
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_http::add_extension::AddExtension;

/// How long requests under way may take to finish once the server is told to stop.
const FINISH_TIME: Duration = Duration::from_secs(10);

/// Answers requests until `stop` is ready, then finishes those under way and closes the store.
///
/// # Errors
///
/// If the socket fails.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let maintenance = tokio::spawn(maintenance::sweep_forever(state.clone()));
    let (tell, told) = oneshot::channel::<()>();
    let mut server = tokio::spawn(answer(listener, state.clone(), told));

    let result = tokio::select! {
        result = &mut server => result,
        () = stop => {
            tracing::info!("stopping");
            let _ = tell.send(());
            tokio::time::timeout(FINISH_TIME, &mut server).await.unwrap_or_else(|_| {
                tracing::warn!("cut off requests that did not finish in time");
                server.abort();
                Ok(())
            })
        }
    };
    maintenance.abort();
    state.store.close().await;
    result.map_err(io::Error::other)
}

/// Takes connections until it is told to stop, then lets each finish what is under way.
///
/// It is `axum::serve`, with a limit on the time that a request's head takes.
async fn answer(mut listener: TcpListener, state: AppState, mut told: oneshot::Receiver<()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(state.settings.head_timeout);
    let router = app(state);
    let connections = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            connection = Listener::accept(&mut listener) => connection,
            _ = &mut told => break,
        };
        let service = TowerToHyperService::new(AddExtension::new(router.clone(), ConnectInfo(peer)));
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}
