//! Unary calls over loopback: the real server, and beside it the same service doing nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use betex_core::command::{Command, CommandKind, OrderPrice, OrderRef};
use betex_core::types::{Side, TimeInForce};
use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_proto::v1::{
    self as wire, CancelOrderRequest, CreateMarketRequest, MarketLifecycleRequest, SubmitOrderRequest,
};
use hdrhistogram::Histogram;
use tonic::transport::Channel;

use crate::report::{Figures, latencies};

const MARKET: &str = "flow";

/// A server of our own, killed when it is no longer needed.
struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already, and its directory is a temporary one.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn start(program: &Path, arguments: &[String], port: u16) -> Result<Running> {
    let child = Process::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Running { child, address: format!("http://127.0.0.1:{port}") })
}

/// The real server, which was built beside this program.
fn real(directory: &Path) -> Result<Running> {
    let program = std::env::current_exe()?.with_file_name("server");
    if !program.exists() {
        bail!("{} is not there: build it with `cargo build --release --bin server`", program.display());
    }
    let (grpc, http) = (free_port()?, free_port()?);
    let arguments = [
        "--bind",
        "127.0.0.1",
        "--grpc-port",
        &grpc.to_string(),
        "--http-port",
        &http.to_string(),
        "--data-dir",
    ]
    .map(str::to_owned);
    let arguments: Vec<String> = arguments.into_iter().chain([directory.display().to_string()]).collect();
    start(&program, &arguments, grpc)
}

/// This program, answering without doing anything.
fn bare() -> Result<Running> {
    let port = free_port()?;
    start(&std::env::current_exe()?, &["bare-server".to_owned(), "--port".to_owned(), port.to_string()], port)
}

async fn connect(address: &str) -> Result<Channel> {
    let endpoint = tonic::transport::Endpoint::from_shared(address.to_owned())?;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(error) if Instant::now() > deadline => bail!("{address} does not answer: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A command of the flow, as a client sends it.
enum Call {
    Submit(SubmitOrderRequest),
    Cancel(CancelOrderRequest),
}

fn call(command: &Command) -> Call {
    match &command.kind {
        CommandKind::SubmitOrder(order) => {
            let OrderPrice::Limit(price) = order.price else {
                unreachable!("the flow has limit orders only")
            };
            let time_in_force = match order.time_in_force {
                TimeInForce::Ioc => wire::TimeInForce::Ioc,
                _ => wire::TimeInForce::Gtc,
            };
            Call::Submit(SubmitOrderRequest {
                market_id: MARKET.to_owned(),
                outcome_id: "1".to_owned(),
                side: if order.side == Side::Yes { "BACK" } else { "LAY" }.to_owned(),
                price: f64::from(price.0) / 10_000.0,
                price_type: wire::PriceType::DecimalOdds.into(),
                quantity: order.quantity.0.unsigned_abs() / 100,
                order_type: "LIMIT".to_owned(),
                user_id: if order.side == Side::Yes { "backer" } else { "layer" }.to_owned(),
                time_in_force: time_in_force.into(),
                ..SubmitOrderRequest::default()
            })
        }
        CommandKind::CancelOrder { order: OrderRef::Id(id), .. } => Call::Cancel(CancelOrderRequest {
            market_id: MARKET.to_owned(),
            order_id: id.0,
            ..CancelOrderRequest::default()
        }),
        other => unreachable!("the flow has no {other:?}"),
    }
}

async fn run(address: &str, calls: Arc<Vec<Call>>, in_flight: usize) -> Result<(f64, Histogram<u64>)> {
    let channel = connect(address).await?;
    let mut client = OrderBookServiceClient::new(channel.clone());
    let outcomes = vec!["1".to_owned(), "2".to_owned()];
    let market =
        CreateMarketRequest { market_id: MARKET.to_owned(), outcomes, ..CreateMarketRequest::default() };
    client.create_market(market).await?;
    client
        .open_market(MarketLifecycleRequest { market_id: MARKET.to_owned(), reason: String::new() })
        .await?;

    let (next, start) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let tasks: Vec<_> = (0..in_flight)
        .map(|_| {
            let (mut client, calls, next) = (client.clone(), Arc::clone(&calls), Arc::clone(&next));
            tokio::spawn(async move {
                let mut latency = latencies();
                while let Some(call) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = Instant::now();
                    match call {
                        Call::Submit(order) => drop(client.submit_order(order.clone()).await?),
                        // With several in flight the flow's order ids are only nearly its own: a cancel
                        // may find nothing, and costs the same.
                        Call::Cancel(order) => drop(client.cancel_order(order.clone()).await),
                    }
                    latency.saturating_record(u64::try_from(sent.elapsed().as_nanos()).unwrap_or(u64::MAX));
                }
                anyhow::Ok(latency)
            })
        })
        .collect();
    let mut latency = latencies();
    for task in tasks {
        latency.add(task.await??)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_second = calls.len() as f64 / start.elapsed().as_secs_f64();
    Ok((per_second, latency))
}

/// Sends commands of the flow one by one, with so many in flight, to a bare and to the real server.
pub fn measure(
    commands: &[Command],
    in_flight: usize,
    directory: &Path,
    print: impl Fn(Figures),
) -> Result<()> {
    let calls: Arc<Vec<Call>> = Arc::new(commands.iter().map(call).collect());
    let runtime = tokio::runtime::Runtime::new()?;
    let directory = tempfile::tempdir_in(directory)?;
    let directory: PathBuf = directory.path().canonicalize()?;
    let mut bare_rate = 1.0;
    for (name, server) in [("bare", bare()?), ("server", real(&directory)?)] {
        let (per_second, latency) = runtime.block_on(run(&server.address, Arc::clone(&calls), in_flight))?;
        let figures = Figures::new(format!("grpc {name} unary, {in_flight} in flight"))
            .with("commands_per_s", per_second)
            .with_latency(&latency);
        if name == "bare" {
            bare_rate = per_second;
            print(figures);
        } else {
            print(figures.with("ratio_to_bare", per_second / bare_rate));
        }
    }
    Ok(())
}

/// Answers every call with nothing, until it is killed.
pub fn serve_bare(port: u16) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    runtime.block_on(bare::serve(address))
}

mod bare {
    use std::net::SocketAddr;
    use std::pin::Pin;

    use betex_proto::v1::order_book_service_server::{OrderBookService, OrderBookServiceServer};
    use betex_proto::v1::*;
    use tonic::{Request, Response, Status};

    struct Bare;

    type Answer<T> = Result<Response<T>, Status>;

    fn nothing<T: Default>() -> Answer<T> {
        Ok(Response::new(T::default()))
    }

    /// Calls that answer nothing.
    macro_rules! bare {
        ($($call:ident: $request:ty => $response:ty),* $(,)?) => {
            #[tonic::async_trait]
            impl OrderBookService for Bare {
                $(async fn $call(&self, _: Request<$request>) -> Answer<$response> {
                    nothing()
                })*
                type SubscribeMarketStream =
                    Pin<Box<dyn futures::Stream<Item = Result<MarketUpdate, Status>> + Send>>;
                async fn subscribe_market(
                    &self,
                    _: Request<SubscribeMarketRequest>,
                ) -> Answer<Self::SubscribeMarketStream> {
                    Ok(Response::new(Box::pin(futures::stream::empty())))
                }
            }
        };
    }

    bare! {
        create_market: CreateMarketRequest => CreateMarketResponse,
        open_market: MarketLifecycleRequest => MarketLifecycleResponse,
        suspend_market: MarketLifecycleRequest => MarketLifecycleResponse,
        close_market: MarketLifecycleRequest => MarketLifecycleResponse,
        halt_market: MarketLifecycleRequest => MarketLifecycleResponse,
        resume_market: MarketLifecycleRequest => MarketLifecycleResponse,
        deactivate_market: MarketLifecycleRequest => MarketLifecycleResponse,
        activate_market: MarketLifecycleRequest => MarketLifecycleResponse,
        set_market_phase: SetMarketPhaseRequest => SetMarketPhaseResponse,
        add_outcomes: AddOutcomesRequest => AddOutcomesResponse,
        remove_outcome: RemoveOutcomeRequest => RemoveOutcomeResponse,
        void_trades: VoidTradesRequest => VoidTradesResponse,
        submit_order: SubmitOrderRequest => SubmitOrderResponse,
        cancel_order: CancelOrderRequest => CancelOrderResponse,
        cancel_orders: CancelOrdersRequest => CancelOrdersResponse,
        get_order_book: GetOrderBookRequest => GetOrderBookResponse,
    }

    pub(super) async fn serve(address: SocketAddr) -> anyhow::Result<()> {
        Ok(tonic::transport::Server::builder()
            .add_service(OrderBookServiceServer::new(Bare))
            .serve(address)
            .await?)
    }
}
