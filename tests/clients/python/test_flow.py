"""The flow of the API reference, step by step."""

from exchange import ExchangeTest, unused_name
from stubs import pb


class FlowTest(ExchangeTest):
    def test_the_life_of_a_market(self):
        market = unused_name("life")
        created = self.create_market(market, name="Liverpool v Arsenal")
        self.assertEqual((created.market_id, created.status), (market, "CREATED"))
        self.assertGreater(created.sequence, 0)
        for method, status in [
            ("OpenMarket", "OPEN"),
            ("SuspendMarket", "SUSPENDED"),
            ("OpenMarket", "OPEN"),
            ("CloseMarket", "CLOSED"),
        ]:
            self.assertEqual(self.lifecycle(method, market, "because"), status)
            self.assertEqual(self.book(market_id=market).status, status)

    def test_two_orders_meet(self):
        resting = self.submit("LAY", 2.5, 10_000, user_id="user_456")
        self.assertEqual((resting.status, resting.remaining_quantity), ("RESTING", 10_000))
        taker = self.submit("BACK", 2.5, 4_000, user_id="user_123")
        self.assertEqual((taker.status, taker.filled_quantity, taker.remaining_quantity), ("FILLED", 4_000, 0))
        [fill] = taker.fills
        self.assertEqual(fill.maker_order_id, resting.order_id)
        self.assertEqual((fill.price, fill.odds, fill.quantity, fill.taker_quantity), (400_000, 2.5, 4_000, 4_000))
        # In hundredths of a penny: 40.00 at 2.50 are 100.00.
        self.assertEqual(fill.payout, 4_000 * 250)
        self.assertEqual((fill.stake, fill.taker_stake), (400_000, 400_000))
        self.assertEqual(fill.outcome_id, "Liverpool")
        self.assertEqual(self.levels("asks"), [(2.5, 6_000, 1)])

    def test_a_better_price_and_then_an_earlier_order_comes_first(self):
        ids = [self.submit("LAY", odds, 100).order_id for odds in (2.5, 2.6, 2.6, 2.52)]
        taker = self.submit("BACK", 2.5, 350)
        met = [(fill.maker_order_id, fill.odds, fill.quantity) for fill in taker.fills]
        self.assertEqual(met, [(ids[1], 2.6, 100), (ids[2], 2.6, 100), (ids[3], 2.52, 100), (ids[0], 2.5, 50)])

    def test_what_is_not_matched_rests(self):
        self.submit("LAY", 3.0, 100)
        order = self.submit("BACK", 3.0, 250)
        self.assertEqual((order.status, order.filled_quantity, order.remaining_quantity), ("PARTIALLY_FILLED", 100, 150))
        self.assertEqual(self.levels("bids"), [(3.0, 150, 1)])

    def test_the_book(self):
        for side, odds, quantity in [
            ("BACK", 2.8, 300), ("BACK", 2.7, 200), ("BACK", 2.8, 50), ("LAY", 2.5, 10), ("LAY", 2.6, 20),
        ]:
            self.submit(side, odds, quantity)
        self.submit("LAY", 4.0, 100, outcome_id="Draw")
        book = self.book()
        self.assertEqual((book.market_id, book.outcome_id, book.status), (self.market, "Liverpool", "OPEN"))
        # bids are resting BACKs, asks resting LAYs; the best for the taker comes first.
        self.assertEqual([(level.odds, level.quantity, level.order_count) for level in book.bids], [(2.7, 200, 1), (2.8, 350, 2)])
        self.assertEqual([(level.odds, level.quantity, level.order_count) for level in book.asks], [(2.6, 20, 1), (2.5, 10, 1)])
        self.assertEqual([level.price for level in book.asks], [384_615, 400_000])
        self.assertAlmostEqual(book.overround, 1 / 2.6 + 1 / 4.0, places=12)
        self.assertEqual(self.levels("bids", depth=1), [(2.7, 200, 1)])
        self.assertEqual(self.book("Arsenal").overround, book.overround)
        self.assertEqual(self.levels("asks", outcome_id="Arsenal"), [])

    def test_a_market_order_takes_what_is_there(self):
        self.submit("LAY", 2.5, 100)
        self.submit("LAY", 2.4, 100)
        order = self.call("SubmitOrder", pb.SubmitOrderRequest(
            market_id=self.market, outcome_id="Liverpool", side="BACK", quantity=10_000, order_type="MARKET",
            user_id="user_123",
        ))
        self.assertEqual((order.status, order.filled_quantity, order.remaining_quantity), ("CANCELLED", 200, 0))
        self.assertEqual((order.cancelled_quantity, order.rejection_reason), (9_800, ""))
        self.assertEqual([(fill.odds, fill.quantity) for fill in order.fills], [(2.5, 100), (2.4, 100)])
        self.assertEqual(self.levels("bids"), [])

    def test_cancel_and_reduce(self):
        order = self.submit("LAY", 2.5, 1_000, client_order_id="mine", user_id="user_1")
        reduced = self.cancel(order.order_id, keep_quantity=400)
        self.assertEqual((reduced.status, reduced.cancelled_quantity, reduced.remaining_quantity), ("RESTING", 600, 400))
        again = self.cancel(order.order_id, keep_quantity=400)
        self.assertEqual((again.cancelled_quantity, again.remaining_quantity), (0, 400))
        self.assertEqual(self.levels("asks"), [(2.5, 400, 1)])
        gone = self.cancel(client_order_id="mine", user_id="user_1")
        self.assertEqual((gone.order_id, gone.status), (order.order_id, "CANCELLED"))
        self.assertEqual((gone.cancelled_quantity, gone.remaining_quantity), (400, 0))
        self.assertEqual(self.levels("asks"), [])

    def test_cancelling_goes_on_while_suspended(self):
        order = self.submit("LAY", 2.5, 1_000)
        self.lifecycle("SuspendMarket", self.market)
        self.assertEqual(self.cancel(order.order_id).status, "CANCELLED")

    def test_closing_cancels_what_rests(self):
        self.submit("LAY", 2.5, 1_000)
        self.lifecycle("CloseMarket", self.market)
        self.assertEqual(self.levels("asks"), [])

    def test_prices_in_parts_per_million(self):
        order = self.submit("BACK", 400_000, 100, price_type=pb.BASIS_POINTS)
        self.assertEqual(order.status, "RESTING")
        self.assertEqual(self.levels("bids"), [(2.5, 100, 1)])

    def test_nobody_meets_himself(self):
        own = self.submit("LAY", 2.6, 100, user_id="user_1")
        other = self.submit("LAY", 2.5, 100, user_id="user_2")
        taker = self.submit("BACK", 2.5, 100, user_id="user_1")
        self.assertEqual([fill.maker_order_id for fill in taker.fills], [other.order_id])
        self.assertEqual(self.cancel(own.order_id).cancelled_quantity, 100)

    def test_time_in_force(self):
        self.submit("LAY", 2.5, 100)
        order = self.submit("BACK", 2.5, 150, time_in_force=pb.IOC)
        self.assertEqual((order.status, order.filled_quantity, order.cancelled_quantity), ("CANCELLED", 100, 50))

    def test_reads_see_ones_own_writes(self):
        for n in range(1, 51):
            order = self.submit("BACK", 5.0, 1)
            book = self.book()
            self.assertEqual(book.bids[0].order_count, n)
            self.assertGreaterEqual(book.sequence, order.sequence)
