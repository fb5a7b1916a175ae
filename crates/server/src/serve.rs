use crate::{AppState, Front, http, maintenance};
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_io_timeout::TimeoutStream;

/// The longest head of a request, in bytes: four times the longest solution. More is answered with 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;

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
            tokio::time::timeout(state.settings.finish_time, &mut server).await.unwrap_or_else(|_| {
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
/// It is `axum::serve`, with limits: on the connections, on the time and the size of a request's head, on the time
/// that an answer lies unread.
async fn answer(mut listener: TcpListener, state: AppState, mut told: oneshot::Receiver<()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(state.settings.head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        // Answers are short: their bodies are copied behind their heads, and leave as one piece.
        .writev(false);
    let front = Front::new(state.clone());
    let places = Places::new(&state);
    let connections = GracefulShutdown::new();
    loop {
        let next = async {
            // While every place is taken, further connections wait in the system's queue.
            let place = places.free().await;
            (Listener::accept(&mut listener).await, place)
        };
        let ((stream, peer), place) = tokio::select! {
            next = next => next,
            _ = &mut told => break,
        };
        let Some(place) = places.take(place, peer.ip()) else {
            tracing::debug!(%peer, "refused a connection of an address that has too many");
            continue;
        };
        // Events of a stream are small and must not wait for each other.
        let _ = stream.set_nodelay(true);
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(state.settings.write_timeout));
        let front = front.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// How many connections there are, and whose.
struct Places {
    state: AppState,
    free: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Places {
    fn new(state: &AppState) -> Self {
        let count = state.settings.max_connections.get() as usize;
        Self { state: state.clone(), free: Arc::new(Semaphore::new(count)), by_address: Arc::default() }
    }

    async fn free(&self) -> OwnedSemaphorePermit {
        self.free.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// The place of a connection from this address, unless it has too many already.
    fn take(&self, permit: OwnedSemaphorePermit, address: IpAddr) -> Option<Place> {
        // A proxy's are those of all its clients.
        let address =
            (!http::is_trusted(&self.state.settings.trusted_proxies, address)).then(|| http::key(address));
        if let Some(address) = address {
            let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(address).or_default();
            if *count >= self.state.settings.max_connections_per_address.get() {
                return None;
            }
            *count += 1;
        }
        self.state.metrics.connections.inc();
        let (state, by_address) = (self.state.clone(), self.by_address.clone());
        Some(Place { state, address, by_address, _permit: permit })
    }
}

/// One connection's place, free again when dropped.
struct Place {
    state: AppState,
    address: Option<IpAddr>,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.metrics.connections.dec();
        let Some(address) = self.address else {
            return;
        };
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}
