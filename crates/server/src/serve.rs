use crate::connection_limits::ConnectionLimits;
use crate::{AppState, RequestHandler, maintenance};
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

/// The maximum size of a request's head, in bytes: four times the longest solution. The response to a larger one is 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// The time in which replies that were cut off are stored.
const WRITE_TIME: Duration = Duration::from_secs(2);

/// The time limit of the admin listener's requests, after those of the public listener have ended.
const ADMIN_FINISH_TIME: Duration = Duration::from_secs(1);

/// The sockets that a server listens on.
#[derive(Debug)]
pub struct Listeners {
    /// For visitors; without an admin listener it has every route.
    pub public: TcpListener,
    /// For the management API, the metrics and the health checks, which the public listener then does not have.
    pub admin: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(public: TcpListener) -> Self {
        Self { public, admin: None }
    }
}

/// Serves requests until `stop` is ready, then finishes the pending ones and closes the store.
///
/// # Errors
///
/// If a task of the server fails.
pub async fn serve(
    listeners: impl Into<Listeners>,
    state: AppState,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let Listeners { public, admin } = listeners.into();
    let maintenance = tokio::spawn(maintenance::sweep_forever(state.clone()));
    let handler = if admin.is_some() { RequestHandler::public } else { RequestHandler::new };
    let limits = ConnectionLimits::public(&state);
    let (stop_public, stopped) = oneshot::channel();
    let finish_time = state.settings.finish_time;
    let stopped = Stop { stopped, finish_time };
    let mut server = tokio::spawn(accept(public, handler(state.clone()), limits, state.clone(), stopped));
    let admin = admin.map(|listener| {
        let handler = RequestHandler::admin(state.clone());
        let (stop_admin, stopped) = oneshot::channel();
        let limits = ConnectionLimits::admin(&state);
        let stopped = Stop { stopped, finish_time: ADMIN_FINISH_TIME };
        (tokio::spawn(accept(listener, handler, limits, state.clone(), stopped)), stop_admin)
    });

    let result = tokio::select! {
        result = &mut server => result,
        () = stop => {
            tracing::info!("stopping");
            let _ = stop_public.send(());
            server.await
        }
    };
    // Last, so that health is reported until the other requests have ended.
    if let Some((admin, stop_admin)) = admin {
        let _ = stop_admin.send(());
        let _ = admin.await;
    }
    maintenance.abort();
    // Replies that were cut off are being stored.
    state.pending_writes.close();
    if tokio::time::timeout(WRITE_TIME, state.pending_writes.wait()).await.is_err() {
        tracing::warn!("could not store every reply that was cut off");
    }
    state.store.close().await;
    result.map_err(io::Error::other)
}

/// When a listener stops.
struct Stop {
    stopped: oneshot::Receiver<()>,
    /// The time limit of the pending requests after that.
    finish_time: Duration,
}

/// Accepts connections until `stop`, then lets each finish its pending request, and ends those that do not in time.
///
/// This is `axum::serve` with limits on the connections, on the time and the size of a request's head, and on the time
/// that a client may leave a response unread.
async fn accept(
    mut listener: TcpListener,
    handler: RequestHandler,
    limits: ConnectionLimits,
    state: AppState,
    Stop { mut stopped, finish_time }: Stop,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(state.settings.head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        // Responses are short: the body is copied after the head, and both are sent in one piece.
        .writev(false);
    let connections = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            // At the limit of connections, further ones wait in the system's queue.
            let permit = limits.wait_for_room().await;
            (Listener::accept(&mut listener).await, permit)
        };
        let ((stream, peer), permit) = tokio::select! {
            next = next => next,
            Some(_) = tasks.join_next() => continue,
            _ = &mut stopped => break,
        };
        let Some(slot) = limits.open(permit, peer.ip()) else {
            tracing::debug!(%peer, "closed a connection of an address that has too many");
            continue;
        };
        // Events of a stream are small and must not wait for each other.
        let _ = stream.set_nodelay(true);
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(state.settings.write_timeout));
        let handler = handler.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let handler = handler.clone();
            async move { Ok::<_, Infallible>(handler.handle(request).await) }
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection failed unexpectedly");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(finish_time, connections.shutdown()).await.is_err() {
        tracing::warn!("cut off requests that did not finish in time");
        tasks.shutdown().await;
    }
}
