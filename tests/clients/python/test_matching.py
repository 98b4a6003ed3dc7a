"""Complete sets, binary markets, quarter lines, order types, and what is done to whole markets."""

import grpc

from exchange import ExchangeTest, unused_name
from stubs import pb


class SetsTest(ExchangeTest):
    def test_backs_on_all_outcomes_make_a_set(self):
        draw = self.submit("BACK", 4.0, 5_000, outcome_id="Draw", user_id="user_1")
        arsenal = self.submit("BACK", 4.0, 6_000, outcome_id="Arsenal", user_id="user_2")
        taker = self.submit("BACK", 2.0, 10_000, user_id="user_3")
        self.assertEqual((taker.status, taker.filled_quantity), ("FILLED", 10_000))
        legs = [(fill.outcome_id, fill.maker_order_id, fill.odds, fill.quantity, fill.taker_quantity) for fill in taker.fills]
        stakes = [(fill.stake, fill.taker_stake) for fill in taker.fills]
        self.assertEqual(stakes, [(500_000, 1_000_000), (500_000, 0)])
        self.assertEqual(legs, [("Draw", draw.order_id, 4.0, 5_000, 10_000), ("Arsenal", arsenal.order_id, 4.0, 5_000, 0)])
        # The stakes of all legs are what is paid, whoever wins.
        for fill in taker.fills:
            self.assertTrue(fill.synthetic)
            self.assertEqual(fill.trade_id, taker.fills[0].trade_id)
            self.assertEqual(fill.payout, 100 * (10_000 + sum(leg.quantity for leg in taker.fills)))

    def test_a_set_takes_fractions_of_a_penny(self):
        small = self.submit("BACK", 3.4, 2, outcome_id="Draw", user_id="user_1")
        big = self.submit("BACK", 3.4, 100_000, outcome_id="Draw", user_id="user_2")
        arsenal = self.submit("BACK", 4.2, 100_000, outcome_id="Arsenal", user_id="user_3")
        taker = self.submit("BACK", 2.1, 10_000, user_id="user_4")
        self.assertEqual((taker.status, taker.filled_quantity), ("FILLED", 10_000))
        legs = [(fill.maker_order_id, fill.quantity, fill.stake, fill.taker_stake) for fill in taker.fills]
        self.assertEqual(legs, [
            (small.order_id, 2, 105, 167), (arsenal.order_id, 1, 85, 0),
            (big.order_id, 6_287, 628_636, 999_832), (arsenal.order_id, 5_089, 508_895, 0),
        ])
        # Exact stakes are what is paid; quantities are what the orders lost.
        for fill in taker.fills:
            trade = [leg for leg in taker.fills if leg.trade_id == fill.trade_id]
            self.assertEqual(fill.payout, sum(leg.stake + leg.taker_stake for leg in trade))
        self.assertEqual(sum(fill.taker_quantity for fill in taker.fills), taker.filled_quantity)
        self.assertEqual(self.levels("bids", outcome_id="Draw"), [(3.4, 93_713, 1)])
        book = self.book("Arsenal")
        self.assertEqual((book.bids[0].quantity, book.traded_quantity), (94_910, 5_089))

    def test_a_market_without_sets(self):
        self.market = self.open_market(synthetic_matching=False)
        for outcome, odds in [("Draw", 4.0), ("Arsenal", 4.0), ("Liverpool", 2.0)]:
            self.assertEqual(self.submit("BACK", odds, 5_000, outcome_id=outcome).status, "RESTING")

    def test_virtual_levels(self):
        self.submit("LAY", 4.0, 5_000, outcome_id="Draw")
        self.submit("LAY", 4.0, 5_000, outcome_id="Arsenal")
        self.assertEqual(list(self.book().virtual_bids), [])
        request = pb.GetOrderBookRequest(market_id=self.market, outcome_id="Liverpool", include_synthetic=True)
        book = self.call("GetOrderBook", request)
        self.assertEqual([(level.odds, level.quantity) for level in book.virtual_bids], [(2.0, 10_000)])
        self.assertEqual((list(book.bids), list(book.virtual_asks)), ([], []))


class BinaryTest(ExchangeTest):
    OUTCOMES = ["Yes", "No"]

    def setUp(self):
        self.market = self.open_market(model=pb.BINARY_YES, max_price_ticks=100)

    def trade(self, outcome, side, ticks, shares, **fields):
        return self.submit(side, ticks, shares, outcome_id=outcome, price_type=pb.TICKS, **fields)

    def test_yes_and_no_are_one_ladder(self):
        self.trade("Yes", "BUY", 55, 100)
        of_no = self.book("No")
        self.assertEqual([(level.ticks, level.price, level.odds, level.quantity) for level in of_no.asks], [(45, 450_000, 0.0, 100)])
        taker = self.trade("No", "BUY", 45, 40)
        [fill] = taker.fills
        self.assertEqual((fill.outcome_id, fill.ticks, fill.quantity, fill.payout), ("No", 45, 40, 400_000))
        self.assertEqual((fill.stake, fill.taker_stake), (40, 40))
        self.assertEqual([(level.ticks, level.quantity) for level in self.book("Yes").bids], [(55, 60)])

    def test_a_group_of_three_mints_sets(self):
        self.market = self.open_market(model=pb.BINARY_YES, outcomes=["A", "B", "C"])
        for outcome in "BC":
            self.trade(outcome, "BUY", 2_500, 100)
        taker = self.trade("A", "BUY", 5_500, 60)
        self.assertEqual([(fill.outcome_id, fill.ticks, fill.synthetic) for fill in taker.fills], [("B", 2_500, True), ("C", 2_500, True)])
        self.assertEqual(self.book("A").last_traded_ticks, 5_000)

    def test_what_belongs_to_markets_at_odds(self):
        invalid = "INVALID_ARGUMENT"
        self.assert_status(invalid, "INVALID_SIDE", "BUY or SELL", self.trade, "Yes", "BACK", 55, 100)
        self.assert_status(invalid, "INVALID_PRICE_TYPE", "send TICKS", self.submit, "BUY", 2.5, 100)
        self.assert_status(invalid, "INVALID_MAX_PRICE_TICKS", "BINARY_YES", self.create_market, max_price_ticks=100)
        self.assert_rejected(self.trade("Yes", "BUY", 100, 100), "INVALID_PRICE", "the nearest is 99")


class LinesTest(ExchangeTest):
    OUTCOMES = ["Home_0.0", "Away_0.0", "Home_-0.5", "Away_+0.5"]

    def test_a_quarter_line_is_two_orders_and_one(self):
        placed = self.submit("BACK", 2.0, 1_001, outcome_id="Home_-0.25", client_order_id="mine", user_id="user_1")
        legs = [placed.order_id + 1, placed.order_id + 2]
        self.assertEqual((placed.status, list(placed.leg_order_ids)), ("RESTING", legs))
        self.assertEqual(self.levels("bids", outcome_id="Home_0.0"), [(2.0, 501, 1)])
        self.assertEqual(self.levels("bids", outcome_id="Home_-0.5"), [(2.0, 500, 1)])
        self.submit("LAY", 2.0, 101, outcome_id="Home_-0.5", user_id="user_2")
        again = self.submit("BACK", 2.0, 1_001, outcome_id="Home_-0.25", client_order_id="mine", user_id="user_1")
        self.assertEqual((again.rejection_reason, list(again.leg_order_ids)), ("DUPLICATE_CLIENT_ID", legs))
        self.assertEqual((again.filled_quantity, again.remaining_quantity), (101, 900))
        self.assertEqual(self.cancel(placed.order_id).cancelled_quantity, 900)

    def test_a_quarter_line_has_no_book(self):
        self.assert_status("INVALID_ARGUMENT", "INVALID_OUTCOME_ID", "Home_-0.5", self.book, "Home_-0.25")
        self.assert_status("INVALID_ARGUMENT", "INVALID_LINE", "Home_+0.5", self.create_market, outcomes=["Home_0.5", "Away_-0.5"])


class OrderTypesTest(ExchangeTest):
    def test_fill_or_kill(self):
        self.submit("LAY", 2.5, 100)
        self.assert_rejected(self.submit("BACK", 2.5, 150, time_in_force=pb.FOK), "WOULD_NOT_FILL", "100 of at least 150")
        order = self.submit("BACK", 2.5, 150, time_in_force=pb.FOK, min_fill_quantity=50)
        self.assertEqual((order.status, order.filled_quantity, order.cancelled_quantity), ("CANCELLED", 100, 50))

    def test_post_only(self):
        self.submit("LAY", 2.5, 100)
        self.assert_rejected(self.submit("BACK", 2.5, 50, post_only=True), "WOULD_MATCH", "post-only")
        self.assertEqual(self.submit("BACK", 2.52, 50, post_only=True).status, "RESTING")

    def test_ways_of_not_meeting_oneself(self):
        for mode, expected in [
            (pb.REJECT, ("REJECTED", "SELF_TRADE", 0)), (pb.CANCEL_TAKER, ("CANCELLED", "SELF_TRADE", 100)),
            (pb.CANCEL_RESTING, ("PARTIALLY_FILLED", "", 100)),
        ]:
            self.market = self.open_market()
            self.submit("LAY", 2.6, 100, user_id="user_2")
            self.submit("LAY", 2.5, 100, user_id="user_1")
            order = self.submit("BACK", 2.5, 300, user_id="user_1", self_trade_prevention=mode)
            self.assertEqual((order.status, order.rejection_reason, order.filled_quantity), expected)


class MarketsTest(ExchangeTest):
    def test_holds(self):
        self.assertEqual(self.lifecycle("HaltMarket", self.market, "a drone"), "SUSPENDED")
        self.assert_status("FAILED_PRECONDITION", "MARKET_HELD", "HALTED", self.lifecycle, "OpenMarket", self.market)
        self.assertEqual(self.lifecycle("DeactivateMarket", self.market), "SUSPENDED")
        self.assertEqual(self.lifecycle("ResumeMarket", self.market), "SUSPENDED")
        self.assertEqual(self.lifecycle("ActivateMarket", self.market), "OPEN")

    def test_going_live(self):
        self.market = self.open_market(market_kind=pb.IN_PLAY_CAPABLE)
        self.submit("BACK", 2.5, 100)
        self.submit("BACK", 2.6, 100, persistence=pb.PERSIST)
        request = pb.SetMarketPhaseRequest(market_id=self.market, phase="LIVE")
        self.assertEqual(self.call("SetMarketPhase", request).phase, "LIVE")
        self.assertEqual(self.levels("bids"), [(2.6, 100, 1)])

    def test_outcomes_come_and_go(self):
        self.call("AddOutcomes", pb.AddOutcomesRequest(market_id=self.market, outcomes=["Abandoned"]))
        self.submit("BACK", 100, 100, outcome_id="Abandoned")
        request = pb.RemoveOutcomeRequest(market_id=self.market, outcome_id="Abandoned", reduction_factor=100)
        self.assertEqual(self.call("RemoveOutcome", request).outcome_id, "Abandoned")
        self.assertEqual(self.levels("bids", outcome_id="Abandoned"), [])
        self.assert_rejected(self.submit("BACK", 100, 100, outcome_id="Abandoned"), "INVALID_OUTCOME", "removed")

    def test_trades_are_void(self):
        self.submit("LAY", 2.5, 100)
        fill = self.submit("BACK", 2.5, 100).fills[0]
        request = pb.VoidTradesRequest(market_id=self.market, trade_ids=[fill.trade_id])
        self.assertGreater(self.call("VoidTrades", request).sequence, fill.trade_id)
        self.assert_status("INVALID_ARGUMENT", "INVALID_TRADE_IDS", "missing", self.call, "VoidTrades", pb.VoidTradesRequest(market_id=self.market))

    def test_mass_cancel(self):
        user = unused_name("user")
        other = self.open_market()
        for market in (self.market, other):
            self.submit("BACK", 2.5, 100, user_id=user, market_id=market)
        kept = self.submit("BACK", 2.5, 100)
        answer = self.call("CancelOrders", pb.CancelOrdersRequest(user_id=user))
        self.assertEqual((answer.orders, answer.quantity, answer.done), (2, 200, True))
        self.assertEqual(self.levels("bids"), [(2.5, 100, 1)])
        self.assertEqual(self.cancel(kept.order_id).status, "CANCELLED")
        with self.assertRaises(grpc.RpcError) as raised:
            self.call("CancelOrders", pb.CancelOrdersRequest())
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
