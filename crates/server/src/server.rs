//! The server, wired: what listens where, and how it ends.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use betex::engine::core::{HandlerOptions, Health};
use betex::{Engine, EngineBuilder, HandlerRecovery};
use betex_journal::RecoveryReport;
use betex_proto::v1::order_book_service_server::OrderBookServiceServer;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tonic_health::server::HealthReporter;

use crate::exchange::Exchange;
use crate::grpc::Grpc;
use crate::grpc::status_layer::StatusLayer;
use crate::listen::{Door, bind};
use crate::options::Options;
use crate::start_error::StartError;
use crate::stream::hub::{Hub, HubHandler};
use crate::stream::warm;
use crate::web::allowed::Allowed;
use crate::web::{self, Web};

/// A request may be this long.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Requests and streams at once on one gRPC connection.
const STREAMS_PER_CONNECTION_MAX: u32 = 4_096;
/// A connection on which nothing answers for twice as long is given up.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a stop waits for what is under way.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing must be under way before connections that are still there are cut off.
const STOP_GRACE: Duration = Duration::from_millis(500);
const STOP_LOOK: Duration = Duration::from_millis(5);
/// How often the health service looks.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// Events that may wait for the streams; beyond, they are cut off and can resume.
const HUB_QUEUE_EVENTS: usize = 65_536;

type Service = OrderBookServiceServer<Grpc>;

/// A running server.
pub struct Server {
    grpc_addr: SocketAddr,
    http_addr: SocketAddr,
    exchange: Arc<Exchange>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Recovers what is in the data directory and begins to listen.
    ///
    /// # Errors
    /// A port that cannot be had, a directory that cannot be used: see [`StartError`].
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        // The ports first: they are had at once, and clients may wait there while the journal is read.
        let (grpc_door, grpc_addr) = listen("gRPC", "--grpc-port", options, options.grpc_port)?;
        let (http_door, http_addr) = listen("HTTP", "--http-port", options, options.http_port)?;
        let metrics = recorder()?;
        crate::metrics::describe();
        let hub = Arc::new(Hub::default());
        let engine = start_engine(options, Arc::clone(&hub)).await?;
        hub.recent.set_bytes_max(options.resume_memory_bytes);
        hub.attach(&engine);
        reread_orders(Arc::clone(&hub), &engine);
        if options.resume_memory_bytes > 0 {
            let (warmed, past) = (Arc::clone(&hub), Arc::clone(&engine));
            let filled = spawn_blocking(move || warm::fill(&warmed.recent, &past)).await;
            filled
                .map_err(|error| StartError::Setup { what: "the recent past", problem: error.to_string() })?;
        }
        let exchange = Arc::new(Exchange::new(engine, hub, options));
        let (stopping, stops) = watch::channel(false);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<Service>().await;
        let unreflected = |error: tonic_reflection::server::Error| StartError::Setup {
            what: "server reflection",
            problem: error.to_string(),
        };
        let service =
            Service::new(Grpc::new(Arc::clone(&exchange))).max_decoding_message_size(REQUEST_BYTES_MAX);
        let grpc = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
            .layer(StatusLayer { request_bytes_max: REQUEST_BYTES_MAX })
            .add_service(service)
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(unreflected)?)
            .add_service(reflection().build_v1alpha().map_err(unreflected)?)
            .serve_with_incoming_shutdown(grpc_door.connections(), stopped(stops.clone()));
        let allowed = Allowed::new(&options.allow_host, &options.allow_origin);
        let web =
            Web { exchange: Arc::clone(&exchange), metrics: metrics.clone(), allowed: Arc::new(allowed) };
        let http = axum::serve(http_door, web::router(web)).with_graceful_shutdown(stopped(stops.clone()));
        let tasks = vec![
            tokio::spawn(async move { report_end("gRPC", grpc.await) }),
            tokio::spawn(async move { report_end("HTTP", http.await) }),
            tokio::spawn(look_after(Arc::clone(&exchange), health, metrics.clone(), stops)),
        ];
        Ok(Self { grpc_addr, http_addr, exchange, stopping, tasks })
    }

    /// Where gRPC listens.
    pub const fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Where HTTP and WebSocket listen.
    pub const fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// What was found in the data directory.
    pub fn recovery(&self) -> &RecoveryReport {
        self.exchange.engine.recovery()
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.exchange.engine
    }

    /// Takes no more connections, ends the streams, answers what is under way, and brings everything to
    /// disk.
    pub async fn stop(mut self) {
        let _ = self.stopping.send(true);
        self.exchange.hub.stop();
        let exchange = &self.exchange;
        let ended = async {
            futures::future::join_all(self.tasks.iter_mut()).await;
            // WebSockets are their own masters.
            until_quiet(exchange, Duration::ZERO).await;
        };
        tokio::select! {
            () = ended => (),
            () = until_quiet(exchange, STOP_GRACE) => (),
            () = tokio::time::sleep(STOP_PATIENCE) => {
                tracing::warn!("what was under way did not end in time and is cut off");
            }
        }
        self.tasks.iter().for_each(JoinHandle::abort);
        let engine = Arc::clone(&self.exchange.engine);
        if spawn_blocking(move || engine.stop()).await.is_err() {
            tracing::error!("the engine did not stop as it should");
        }
    }
}

/// Runs a server until `shutdown` resolves, then stops it.
///
/// # Errors
/// As [`Server::start`].
pub async fn run(options: &Options, shutdown: impl Future<Output = ()>) -> Result<(), StartError> {
    let server = Server::start(options).await?;
    shutdown.await;
    server.stop().await;
    Ok(())
}

fn listen(
    what: &'static str,
    flag: &'static str,
    options: &Options,
    port: u16,
) -> Result<(Door, SocketAddr), StartError> {
    let open = || {
        let listener = bind(options.bind, port)?;
        let address = listener.local_addr()?;
        Ok((Door::new(listener)?, address))
    };
    open().map_err(|source| StartError::Listen { what, flag, address: options.bind, port, source })
}

/// Recovery reads the whole journal: not for async code.
pub(crate) async fn start_engine(options: &Options, hub: Arc<Hub>) -> Result<Arc<Engine>, StartError> {
    let config = options.engine();
    let directory = options.data_dir.clone();
    let build = move || {
        let handler = HandlerOptions { name: "streams".to_owned(), queue_events: HUB_QUEUE_EVENTS };
        EngineBuilder::new(config, directory)?
            .register_handler(HubHandler::new(hub), HandlerRecovery::LiveOnly, Some(handler))
            .build()
    };
    let built = spawn_blocking(build).await;
    let built =
        built.map_err(|error| StartError::Setup { what: "the engine", problem: error.to_string() })?;
    Ok(Arc::new(built?))
}

/// Learns from the journal what became of the last orders before the start. Commands need not wait for it.
fn reread_orders(hub: Arc<Hub>, engine: &Arc<Engine>) {
    let last = engine.read().sequence();
    let engine = Arc::clone(engine);
    spawn_blocking(move || {
        let stops = || !matches!(engine.health(), Health::Serving | Health::Degraded(_));
        if let Err(error) = hub.orders.reread(&engine, last, stops) {
            tracing::warn!("what became of orders before the start is not known: {error}");
        }
    });
}

/// The one recorder of the process, which several servers in it share.
fn recorder() -> Result<PrometheusHandle, StartError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => Ok(RECORDER.get_or_init(|| handle).clone()),
        // Somebody else's is installed, or another server was quicker; ours then has nothing to show.
        Err(_) => Ok(RECORDER.get_or_init(|| PrometheusBuilder::new().build_recorder().handle()).clone()),
    }
}

/// What server reflection tells, in either of its versions.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(betex_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Waits until nothing has been under way for this long: clients that stay connected and do nothing do
/// not hold up a stop.
async fn until_quiet(exchange: &Exchange, grace: Duration) {
    let mut quiet_since = None;
    loop {
        let now = Instant::now();
        if !exchange.is_quiet() {
            quiet_since = None;
        } else if now.duration_since(*quiet_since.get_or_insert(now)) >= grace {
            return;
        }
        tokio::time::sleep(STOP_LOOK).await;
    }
}

async fn stopped(mut stops: watch::Receiver<bool>) {
    // An error means that the server is gone: stopped, too.
    let _ = stops.wait_for(|stopping| *stopping).await;
}

fn report_end<E: std::fmt::Display>(what: &str, ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::error!("{what} has ended: {error}");
    }
}

/// Keeps the health service true and the recorder small.
async fn look_after(
    exchange: Arc<Exchange>,
    health: HealthReporter,
    metrics: PrometheusHandle,
    stops: watch::Receiver<bool>,
) {
    let look = async {
        let mut interval = tokio::time::interval(HEALTH_INTERVAL);
        loop {
            interval.tick().await;
            metrics.run_upkeep();
            if matches!(exchange.engine.health(), Health::Serving) {
                health.set_serving::<Service>().await;
            } else {
                health.set_not_serving::<Service>().await;
            }
        }
    };
    tokio::select! {
        () = look => (),
        () = stopped(stops) => health.set_not_serving::<Service>().await,
    }
}
