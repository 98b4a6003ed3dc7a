//! Starts the program and asks it things.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use betex_proto::v1::order_book_service_client::OrderBookServiceClient;
use betex_proto::v1::{
    CreateMarketRequest, GetOrderBookRequest, GetOrderBookResponse, Level, MarketLifecycleRequest,
    MarketUpdate, PriceType, SubmitOrderRequest, SubmitOrderResponse, SubscribeMarketRequest,
};
use futures::{StreamExt as _, stream};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Client = OrderBookServiceClient<Channel>;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A command line of the program, in a clean environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BETEX_")) {
        command.env_remove(name);
    }
    command
}

/// A running program, killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    /// What it said before it was ready.
    pub(crate) greeting: String,
    data: PathBuf,
    /// Kept for as long as it runs, if it is its own.
    _directory: Option<TempDir>,
}

impl Running {
    /// In a directory of its own.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// In a directory of its own, with further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut running = Self::on(&directory.path().join("data"), arguments);
        running._directory = Some(directory);
        running
    }

    /// On a directory that others have used or will use.
    pub(crate) fn on(data: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["--grpc-port", "0", "--http-port", "0", "--data-dir", data.to_str().unwrap()];
        if !arguments.contains(&"--bind") {
            all.extend(["--bind", "127.0.0.1"]);
        }
        all.extend(arguments);
        Self::try_launch(command(&all), data)
            .unwrap_or_else(|said| panic!("it ended before it was ready:\n{said}"))
    }

    /// As this command says; what it said if it ended before it was ready.
    pub(crate) fn try_launch(mut command: Command, data: &Path) -> Result<Self, String> {
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut greeting = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while !greeting.contains("Ready.") {
            if out.read_line(&mut greeting).unwrap() == 0 {
                return Err(format!("{greeting}{}", child.wait().unwrap()));
            }
        }
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            out.read_to_end(&mut rest)
        });
        let address = |words: &str| {
            let (_, rest) = greeting.split_once(words).unwrap();
            rest.split_whitespace().next().unwrap().parse().unwrap()
        };
        let (grpc, http) = (address("gRPC listens on "), address("(/ws) listen on "));
        Ok(Self { child, grpc, http, greeting, data: data.to_owned(), _directory: None })
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) async fn client(&self) -> Client {
        OrderBookServiceClient::new(self.endpoint().connect().await.unwrap())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.grpc)).unwrap()
    }

    /// Asks the HTTP port; the status and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        get(self.http, path).await
    }

    /// Whether a stream has been cut off because its reader was too slow.
    pub(crate) async fn has_cut_a_stream(&self) -> bool {
        let (_, metrics) = self.get("/metrics").await;
        metrics.lines().any(|line| {
            line.strip_prefix("betex_server_streams_cut_total ").is_some_and(|streams| streams != "0")
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.end().code(), Some(0));
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A start that fails: the exit code and what was said on stderr.
pub(crate) fn failing(arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = command(arguments).spawn().unwrap();
    let status = wait(&mut child);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status.code(), said)
}

/// One request over HTTP/1.1; the status and the body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The market that most tests use.
pub(crate) const MARKET: &str = "match_liverpool_arsenal";

pub(crate) fn market(market_id: &str, outcomes: &[&str]) -> CreateMarketRequest {
    CreateMarketRequest {
        market_id: market_id.to_owned(),
        outcomes: outcomes.iter().map(ToString::to_string).collect(),
        ..CreateMarketRequest::default()
    }
}

pub(crate) fn lifecycle(market_id: &str) -> MarketLifecycleRequest {
    MarketLifecycleRequest { market_id: market_id.to_owned(), ..MarketLifecycleRequest::default() }
}

/// Creates and opens [`MARKET`] with the outcomes Liverpool, Draw and Arsenal.
pub(crate) async fn open_market(client: &mut Client) {
    open_market_named(client, MARKET, &["Liverpool", "Draw", "Arsenal"]).await;
}

pub(crate) async fn open_market_named(client: &mut Client, market_id: &str, outcomes: &[&str]) {
    client.create_market(market(market_id, outcomes)).await.unwrap();
    client.open_market(lifecycle(market_id)).await.unwrap();
}

/// Creates and opens a market as it is asked for.
pub(crate) async fn open(client: &mut Client, market: CreateMarketRequest) {
    let market_id = market.market_id.clone();
    client.create_market(market).await.unwrap();
    client.open_market(lifecycle(&market_id)).await.unwrap();
}

/// A limit order of [`MARKET`] in ticks.
pub(crate) fn shares(
    outcome: &str,
    side: &str,
    ticks: u32,
    quantity: u64,
    user_id: &str,
) -> SubmitOrderRequest {
    let price_type = PriceType::Ticks.into();
    SubmitOrderRequest { price_type, ..on(outcome, limit(side, ticks.into(), quantity, user_id)) }
}

/// The same order on another outcome.
pub(crate) fn on(outcome: &str, order: SubmitOrderRequest) -> SubmitOrderRequest {
    SubmitOrderRequest { outcome_id: outcome.to_owned(), ..order }
}

/// The message of a refusal, which must be of this kind.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, tonic::Status>,
    code: tonic::Code,
    word: &str,
) -> String {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    assert!(status.message().starts_with(&format!("{word}: ")), "{status:?}");
    status.message().to_owned()
}

/// A limit order on Liverpool.
pub(crate) fn limit(side: &str, odds: f64, quantity: u64, user_id: &str) -> SubmitOrderRequest {
    SubmitOrderRequest {
        market_id: MARKET.to_owned(),
        outcome_id: "Liverpool".to_owned(),
        side: side.to_owned(),
        price: odds,
        price_type: PriceType::DecimalOdds.into(),
        quantity,
        order_type: "LIMIT".to_owned(),
        user_id: user_id.to_owned(),
        ..SubmitOrderRequest::default()
    }
}

pub(crate) async fn submit(client: &mut Client, order: SubmitOrderRequest) -> SubmitOrderResponse {
    client.submit_order(order).await.unwrap().into_inner()
}

/// The same order so many times on one connection, of which 512 are under way at once: on a busy machine the
/// server's HTTP/2 takes some thousands for an attack.
pub(crate) async fn submit_many(
    client: &Client,
    count: usize,
    order: &SubmitOrderRequest,
) -> Vec<SubmitOrderResponse> {
    let orders = (0..count).map(|_| {
        let (mut client, order) = (client.clone(), order.clone());
        async move { submit(&mut client, order).await }
    });
    stream::iter(orders).buffered(512).collect().await
}

pub(crate) async fn book(client: &mut Client, outcome: &str) -> GetOrderBookResponse {
    let request = GetOrderBookRequest {
        market_id: MARKET.to_owned(),
        outcome_id: outcome.to_owned(),
        ..GetOrderBookRequest::default()
    };
    client.get_order_book(request).await.unwrap().into_inner()
}

/// `(ticks, quantity, orders)` of each level.
pub(crate) fn tick_ladder(levels: &[Level]) -> Vec<(u32, u64, i32)> {
    levels.iter().map(|level| (level.ticks, level.quantity, level.order_count)).collect()
}

/// `(odds, quantity, orders)` of each level.
pub(crate) fn ladder(levels: &[Level]) -> Vec<(f64, u64, i32)> {
    levels.iter().map(|level| (level.odds, level.quantity, level.order_count)).collect()
}

pub(crate) async fn subscribe(
    client: &mut Client,
    from_sequence: u64,
    snapshot: bool,
) -> Streaming<MarketUpdate> {
    let request = SubscribeMarketRequest { market_id: MARKET.to_owned(), from_sequence, snapshot };
    client.subscribe_market(request).await.unwrap().into_inner()
}

/// The next update of a stream.
pub(crate) async fn next(stream: &mut Streaming<MarketUpdate>) -> Result<MarketUpdate, tonic::Status> {
    let update = tokio::time::timeout(PATIENCE, stream.message()).await.expect("an update within a minute");
    update.map(|update| update.expect("the stream goes on"))
}
