use crate::{AppState, app, maintenance};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

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
    let service = app(state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let (tell, told) = oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async {
        let _ = told.await;
    });
    let mut server = tokio::spawn(server.into_future());

    let result = tokio::select! {
        result = &mut server => result,
        () = stop => {
            tracing::info!("stopping");
            let _ = tell.send(());
            tokio::time::timeout(FINISH_TIME, &mut server).await.unwrap_or_else(|_| {
                tracing::warn!("cut off requests that did not finish in time");
                server.abort();
                Ok(Ok(()))
            })
        }
    };
    maintenance.abort();
    state.store.close().await;
    result.unwrap_or_else(|panic| Err(io::Error::other(panic)))
}
