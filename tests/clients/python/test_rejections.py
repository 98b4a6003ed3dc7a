"""Each rejection reason and each status code of the API."""

import time

from exchange import ExchangeTest, unused_name
from stubs import pb


class RejectionTest(ExchangeTest):
    """What the market decides about a well-formed order is in the answer."""

    def test_market_not_open(self):
        self.market = self.create_market().market_id
        self.assert_rejected(self.submit("BACK", 2.5, 100), "MARKET_NOT_OPEN", "CREATED")
        self.lifecycle("OpenMarket", self.market)
        self.lifecycle("SuspendMarket", self.market)
        self.assert_rejected(self.submit("BACK", 2.5, 100, user_id="new"), "MARKET_NOT_OPEN", "SUSPENDED")
        self.lifecycle("CloseMarket", self.market)
        self.assert_rejected(self.submit("BACK", 2.5, 100), "MARKET_NOT_OPEN", "CLOSED")

    def test_invalid_outcome(self):
        self.assert_rejected(self.submit("BACK", 2.5, 100, outcome_id="Everton"), "INVALID_OUTCOME", "Arsenal")

    def test_invalid_price(self):
        for odds, nearest in [
            (2.51, "2.52"), (0, "1.01"), (-2.5, "1.01"), (1.0, "1.01"), (1_010, "1000"), (1e300, "1000"),
            (2.500001, "2.5"), (1.005, "1.01"),
        ]:
            with self.subTest(odds=odds):
                self.assert_rejected(self.submit("BACK", odds, 100), "INVALID_PRICE", nearest)
        self.assertEqual(self.submit("BACK", 2.5 + 5e-10, 100).status, "RESTING")

    def test_invalid_price_in_parts_per_million(self):
        for ppm in [400_001, 0, -400_000, 1e12]:
            with self.subTest(ppm=ppm):
                response = self.submit("BACK", ppm, 100, price_type=pb.BASIS_POINTS)
                self.assert_rejected(response, "INVALID_PRICE", "price")

    def test_self_trade(self):
        order = self.submit("LAY", 2.5, 100, user_id="user_1")
        self.assert_rejected(self.submit("BACK", 2.5, 100, user_id="user_1"), "SELF_TRADE", "user_1")
        self.assertEqual(self.levels("bids"), [])
        # Without a name there is no such protection.
        self.assertEqual(self.submit("BACK", 2.5, 100).fills[0].maker_order_id, order.order_id)

    def test_the_rest_of_an_order_that_would_cross_its_own(self):
        self.submit("LAY", 2.6, 100, user_id="user_2")
        self.submit("LAY", 2.5, 100, user_id="user_1")
        order = self.submit("BACK", 2.5, 150, user_id="user_1")
        self.assertEqual((order.status, order.rejection_reason), ("CANCELLED", "SELF_TRADE"))
        self.assertEqual((order.filled_quantity, order.cancelled_quantity), (100, 50))

    def test_duplicate_client_id(self):
        first = self.submit("LAY", 2.5, 100, user_id="user_1", client_order_id="mine")
        again = self.submit("LAY", 2.6, 200, user_id="user_1", client_order_id="mine")
        self.assertEqual((again.status, again.rejection_reason), ("REJECTED", "DUPLICATE_CLIENT_ID"))
        self.assertEqual(again.order_id, first.order_id)
        self.assertEqual(self.levels("asks"), [(2.5, 100, 1)])
        # Another user's is another order, and so is one in another market.
        self.assertEqual(self.submit("LAY", 2.5, 1, user_id="user_2", client_order_id="mine").status, "RESTING")
        other = self.open_market()
        order = self.submit("LAY", 2.5, 1, user_id="user_1", client_order_id="mine", market_id=other)
        self.assertEqual(order.status, "RESTING")

    def test_invalid_quantity(self):
        self.market = self.open_market(min_quantity=200)
        self.assert_rejected(self.submit("BACK", 2.5, 199), "INVALID_QUANTITY", "200")
        self.assertEqual(self.submit("BACK", 2.5, 200).status, "RESTING")

    def test_what_a_reduction_leaves(self):
        self.market = self.open_market(min_quantity=200)
        order = self.submit("BACK", 2.5, 500)
        self.assert_status("INVALID_ARGUMENT", "INVALID_QUANTITY", "at least 200", self.cancel, order.order_id,
                           keep_quantity=199)
        self.assertEqual(self.levels("bids"), [(2.5, 500, 1)])
        self.assertEqual(self.cancel(order.order_id, keep_quantity=200).remaining_quantity, 200)
        self.submit("LAY", 2.5, 200)
        order = self.submit("BACK", 2.5, 300)
        self.submit("LAY", 2.5, 250)
        for enough in (50, 51):
            kept = self.cancel(order.order_id, keep_quantity=enough)
            self.assertEqual((kept.cancelled_quantity, kept.remaining_quantity), (0, 50))

    def test_invalid_expiry(self):
        now_ms = int(time.time() * 1_000)
        response = self.submit("BACK", 2.5, 100, time_in_force=pb.GTD, expiry_ms=now_ms - 1_000)
        self.assert_rejected(response, "INVALID_EXPIRY", "expiry_ms")
        response = self.submit("BACK", 2.5, 100, time_in_force=pb.GTD, expiry_ms=now_ms + 600_000)
        self.assertEqual(response.status, "RESTING")

    def test_an_order_expires(self):
        soon_ms = int(time.time() * 1_000) + 300
        order = self.submit("BACK", 2.5, 100, time_in_force=pb.GTD, expiry_ms=soon_ms)
        self.assertEqual(order.status, "RESTING")
        deadline = time.monotonic() + 10
        while self.levels("bids"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertGreaterEqual(time.time() * 1_000, soon_ms)


class StatusTest(ExchangeTest):
    """What is wrong with the request itself is a status."""

    def test_not_found(self):
        missing = unused_name("missing")
        for method in ("OpenMarket", "SuspendMarket", "CloseMarket"):
            self.assert_status("NOT_FOUND", "MARKET_NOT_FOUND", missing, self.lifecycle, method, missing)
        for call, arguments in [
            (self.submit, ("BACK", 2.5, 100)), (self.cancel, (1,)), (self.book, ()),
        ]:
            self.assert_status("NOT_FOUND", "MARKET_NOT_FOUND", missing, call, *arguments, market_id=missing)
        self.assert_status("NOT_FOUND", "ORDER_NOT_FOUND", "987654321", self.cancel, 987_654_321)
        self.assert_status("NOT_FOUND", "OUTCOME_NOT_FOUND", "Everton", self.book, "Everton")
        request = pb.SubscribeMarketRequest(market_id=missing)
        stream = self.client.SubscribeMarket(request, timeout=10)
        self.assert_status("NOT_FOUND", "MARKET_NOT_FOUND", missing, next, stream)

    def test_an_order_is_found_in_its_own_market_and_for_its_owner_only(self):
        order = self.submit("LAY", 2.5, 100, user_id="user_1", client_order_id="mine")
        other = self.open_market()
        self.assert_status("NOT_FOUND", "ORDER_NOT_FOUND", "", self.cancel, order.order_id, market_id=other)
        self.assert_status("NOT_FOUND", "ORDER_NOT_FOUND", "", self.cancel, order.order_id, user_id="user_2")
        self.submit("LAY", 2.5, 100, user_id="user_2")
        self.assert_status("NOT_FOUND", "ORDER_NOT_FOUND", "", self.cancel, order.order_id, user_id="user_2")
        self.assert_status("NOT_FOUND", "ORDER_NOT_FOUND", "", self.cancel, client_order_id="mine", user_id="user_2")
        self.assertEqual(self.cancel(order.order_id, user_id="user_1").status, "CANCELLED")
        self.assert_status("NOT_FOUND", "ORDER_FINISHED", "CANCELLED", self.cancel, order.order_id)

    def test_already_exists(self):
        self.assert_status("ALREADY_EXISTS", "MARKET_EXISTS", self.market, self.create_market, self.market)

    def test_failed_precondition(self):
        step = ("FAILED_PRECONDITION", "INVALID_TRANSITION")
        self.assert_status(*step, "OPEN", self.lifecycle, "OpenMarket", self.market)
        created = self.create_market().market_id
        self.assert_status(*step, "CREATED", self.lifecycle, "SuspendMarket", created)
        order = self.submit("LAY", 2.5, 100)
        self.lifecycle("CloseMarket", self.market)
        for method in ("OpenMarket", "SuspendMarket", "CloseMarket"):
            self.assert_status(*step, "CLOSED", self.lifecycle, method, self.market)
        self.assert_status("FAILED_PRECONDITION", "MARKET_CLOSED", "CLOSED", self.cancel, order.order_id)
