//! The gRPC service: each call in its own file, what they share here.

mod book;
#[cfg(test)]
mod fuzz;
mod markets;
mod mass_cancel;
mod orders;
mod outcomes;
pub(crate) mod status_layer;
mod subscribe;
mod trades;

use std::sync::Arc;

use betex_core::command::CommandKind;
use betex_core::types::Hold;
use betex_proto::v1;
use betex_proto::v1::order_book_service_server::OrderBookService;
use betex_proto::v1::{MarketLifecycleRequest, MarketLifecycleResponse};
use tonic::{Request, Response, Status};

use crate::exchange::Exchange;
use crate::metrics::REQUESTS;
use crate::quota;
use crate::stream::turns::Caller;

/// The service on one exchange.
pub(crate) struct Grpc {
    exchange: Arc<Exchange>,
}

impl Grpc {
    pub(crate) const fn new(exchange: Arc<Exchange>) -> Self {
        Self { exchange }
    }
}

impl Grpc {
    /// Answers a request, and counts it by its method and code.
    async fn answer<T>(
        &self,
        method: &'static str,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<Response<T>, Status> {
        let answer = match self.exchange.begin() {
            Ok(_under_way) => answer.await,
            Err(refused) => Err(refused),
        };
        let code = answer.as_ref().err().map_or(tonic::Code::Ok, Status::code);
        metrics::counter!(REQUESTS, "method" => method, "code" => code_name(code)).increment(1);
        answer.map(Response::new)
    }
}

/// The codes that this service answers with.
const fn code_name(code: tonic::Code) -> &'static str {
    match code {
        tonic::Code::Ok => "OK",
        tonic::Code::InvalidArgument => "INVALID_ARGUMENT",
        tonic::Code::NotFound => "NOT_FOUND",
        tonic::Code::AlreadyExists => "ALREADY_EXISTS",
        tonic::Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        tonic::Code::FailedPrecondition => "FAILED_PRECONDITION",
        tonic::Code::OutOfRange => "OUT_OF_RANGE",
        tonic::Code::Internal => "INTERNAL",
        tonic::Code::Unavailable => "UNAVAILABLE",
        _ => "OTHER",
    }
}

#[tonic::async_trait]
impl OrderBookService for Grpc {
    async fn create_market(
        &self,
        request: Request<v1::CreateMarketRequest>,
    ) -> Result<Response<v1::CreateMarketResponse>, Status> {
        let from = quota::address(&request);
        self.answer("CreateMarket", markets::create(&self.exchange, from, request.into_inner())).await
    }

    async fn open_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let open = |reason| CommandKind::OpenMarket { reason };
        self.answer("OpenMarket", markets::change(&self.exchange, request.into_inner(), open)).await
    }

    async fn suspend_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let suspend = |reason| CommandKind::SuspendMarket { reason };
        self.answer("SuspendMarket", markets::change(&self.exchange, request.into_inner(), suspend)).await
    }

    async fn close_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let close = |reason| CommandKind::CloseMarket { reason };
        self.answer("CloseMarket", markets::change(&self.exchange, request.into_inner(), close)).await
    }

    async fn halt_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let halt = |reason| CommandKind::HoldMarket { hold: Hold::Halted, reason };
        self.answer("HaltMarket", markets::change(&self.exchange, request.into_inner(), halt)).await
    }

    async fn resume_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let resume = |reason| CommandKind::LiftHold { hold: Hold::Halted, reason };
        self.answer("ResumeMarket", markets::change(&self.exchange, request.into_inner(), resume)).await
    }

    async fn deactivate_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let deactivate = |reason| CommandKind::HoldMarket { hold: Hold::Deactivated, reason };
        self.answer("DeactivateMarket", markets::change(&self.exchange, request.into_inner(), deactivate))
            .await
    }

    async fn activate_market(
        &self,
        request: Request<MarketLifecycleRequest>,
    ) -> Result<Response<MarketLifecycleResponse>, Status> {
        let activate = |reason| CommandKind::LiftHold { hold: Hold::Deactivated, reason };
        self.answer("ActivateMarket", markets::change(&self.exchange, request.into_inner(), activate)).await
    }

    async fn set_market_phase(
        &self,
        request: Request<v1::SetMarketPhaseRequest>,
    ) -> Result<Response<v1::SetMarketPhaseResponse>, Status> {
        self.answer("SetMarketPhase", markets::set_phase(&self.exchange, request.into_inner())).await
    }

    async fn add_outcomes(
        &self,
        request: Request<v1::AddOutcomesRequest>,
    ) -> Result<Response<v1::AddOutcomesResponse>, Status> {
        let from = quota::address(&request);
        self.answer("AddOutcomes", outcomes::add(&self.exchange, from, request.into_inner())).await
    }

    async fn remove_outcome(
        &self,
        request: Request<v1::RemoveOutcomeRequest>,
    ) -> Result<Response<v1::RemoveOutcomeResponse>, Status> {
        self.answer("RemoveOutcome", outcomes::remove(&self.exchange, request.into_inner())).await
    }

    async fn void_trades(
        &self,
        request: Request<v1::VoidTradesRequest>,
    ) -> Result<Response<v1::VoidTradesResponse>, Status> {
        let caller = Caller::peer(request.remote_addr());
        self.answer("VoidTrades", trades::void(&self.exchange, caller, request.into_inner())).await
    }

    async fn cancel_orders(
        &self,
        request: Request<v1::CancelOrdersRequest>,
    ) -> Result<Response<v1::CancelOrdersResponse>, Status> {
        self.answer("CancelOrders", mass_cancel::cancel(&self.exchange, request.into_inner())).await
    }

    async fn submit_order(
        &self,
        request: Request<v1::SubmitOrderRequest>,
    ) -> Result<Response<v1::SubmitOrderResponse>, Status> {
        let (from, request) = (quota::address(&request), request.into_inner());
        self.answer("SubmitOrder", orders::submit(&self.exchange, from, &request)).await
    }

    async fn cancel_order(
        &self,
        request: Request<v1::CancelOrderRequest>,
    ) -> Result<Response<v1::CancelOrderResponse>, Status> {
        let request = request.into_inner();
        self.answer("CancelOrder", orders::cancel(&self.exchange, &request)).await
    }

    async fn get_order_book(
        &self,
        request: Request<v1::GetOrderBookRequest>,
    ) -> Result<Response<v1::GetOrderBookResponse>, Status> {
        self.answer("GetOrderBook", async { book::get(&self.exchange, &request.into_inner()) }).await
    }

    type SubscribeMarketStream = subscribe::Updates;

    async fn subscribe_market(
        &self,
        request: Request<v1::SubscribeMarketRequest>,
    ) -> Result<Response<Self::SubscribeMarketStream>, Status> {
        let caller = Caller::peer(request.remote_addr());
        self.answer("SubscribeMarket", subscribe::subscribe(&self.exchange, caller, request.into_inner()))
            .await
    }
}
