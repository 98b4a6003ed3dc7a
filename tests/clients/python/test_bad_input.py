"""Input that nobody should send: each time a sentence that says what to do, nothing lost, the server lives."""

import math

import grpc

from exchange import ExchangeTest, unused_name
from stubs import pb

TEN_MEGABYTES = "x" * (10 << 20)
QUANTITY_MAX = 1_000_000_000_000


class BadInputTest(ExchangeTest):
    def tearDown(self):
        # Whatever it was told, it goes on.
        market = self.open_market()
        self.assertEqual(self.submit("BACK", 2.5, 100, market_id=market).status, "RESTING")

    def assert_invalid(self, field, contains, call, *arguments, **fields):
        self.assert_status("INVALID_ARGUMENT", f"INVALID_{field.upper()}", contains, call, *arguments, **fields)

    def test_prices_that_are_no_numbers(self):
        for price in (math.nan, math.inf, -math.inf):
            for price_type in (pb.DECIMAL_ODDS, pb.BASIS_POINTS):
                with self.subTest(price=price, price_type=price_type):
                    self.assert_invalid("price", "price", self.submit, "BACK", price, 100, price_type=price_type)

    def test_quantities(self):
        self.assert_invalid("quantity", "1 to", self.submit, "BACK", 2.5, 0)
        for huge in (QUANTITY_MAX + 1, 2**63 - 1, 2**63, 2**64 - 1):
            with self.subTest(quantity=huge):
                self.assert_invalid("quantity", str(QUANTITY_MAX), self.submit, "BACK", 2.5, huge)
        self.assertEqual(self.submit("BACK", 1000, QUANTITY_MAX).remaining_quantity, QUANTITY_MAX)
        filled = self.submit("LAY", 1000, QUANTITY_MAX)
        self.assertEqual((filled.status, filled.fills[0].payout), ("FILLED", QUANTITY_MAX * 100_000))
        with self.assertRaises(ValueError):
            self.submit("BACK", 2.5, -1)

    def test_words_that_nobody_knows(self):
        for side in ("", "back", "BUY", "LAY ", "\0", "Ж"):
            self.assert_invalid("side", "BACK or LAY", self.submit, side, 2.5, 100)
        for order_type in ("", "limit", "STOP"):
            self.assert_invalid("order_type", "LIMIT", self.submit, "BACK", 2.5, 100, order_type=order_type)
        for field in ("price_type", "time_in_force", "persistence", "self_trade_prevention"):
            for value in (99, -1, 2**31 - 1):
                with self.subTest(field=field, value=value):
                    self.assert_invalid(field, str(value), self.submit, "BACK", 2.5, 100, **{field: value})
        for field in ("model", "ladder", "market_kind", "transition_policy"):
            self.assert_invalid(field, "99", self.create_market, **{field: 99})

    def test_fields_that_belong_to_others(self):
        for field, contains, fields in [
            ("min_fill_quantity", "FOK", {"min_fill_quantity": 1}),
            ("min_fill_quantity", "at most", {"time_in_force": pb.FOK, "min_fill_quantity": 101}),
            ("post_only", "LIMIT", {"time_in_force": pb.IOC, "post_only": True}),
            ("post_only", "LIMIT", {"order_type": "MARKET", "post_only": True}),
            ("price_type", "binary", {"price_type": pb.TICKS}),
        ]:
            with self.subTest(fields=fields):
                self.assert_invalid(field, contains, self.submit, "BACK", 2.5, 100, **fields)
        self.assert_invalid("ladder", "BINARY_YES", self.create_market, model=pb.BINARY_YES, ladder=pb.FINEST)
        for ticks in (1, 10_001, 2**32 - 1):
            self.assert_invalid("max_price_ticks", "2 to 10000", self.create_market, model=pb.BINARY_YES, max_price_ticks=ticks)
        self.assert_invalid(
            "synthetic_matching", "independent", self.create_market, synthetic_matching=True, independent_outcomes=True
        )

    def test_texts_of_ten_megabytes(self):
        for call, arguments, fields in [
            (self.create_market, (TEN_MEGABYTES,), {}),
            (self.create_market, (), {"outcomes": ["Home", TEN_MEGABYTES]}),
            (self.create_market, (), {"name": TEN_MEGABYTES}),
            (self.lifecycle, ("CloseMarket", self.market, TEN_MEGABYTES), {}),
            (self.lifecycle, ("OpenMarket", TEN_MEGABYTES), {}),
            (self.submit, ("BACK", 2.5, 100), {"client_order_id": TEN_MEGABYTES}),
            (self.submit, ("BACK", 2.5, 100), {"user_id": TEN_MEGABYTES}),
            (self.submit, ("BACK", 2.5, 100), {"outcome_id": TEN_MEGABYTES}),
            (self.submit, (TEN_MEGABYTES, 2.5, 100), {}),
            (self.cancel, (), {"client_order_id": TEN_MEGABYTES}),
            (self.book, (TEN_MEGABYTES,), {}),
        ]:
            with self.subTest(call=call.__name__, fields=list(fields)):
                with self.assertRaises(grpc.RpcError) as raised:
                    call(*arguments, **fields)
                # Refused by its size before it is looked at, or by the field's bound.
                allowed = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED)
                self.assertIn(raised.exception.code(), allowed, raised.exception.details()[:200])
                self.assertLess(len(raised.exception.details()), 1_000)
        self.assertEqual(self.book().status, "OPEN")

    def test_texts_that_are_a_little_too_long(self):
        self.assert_invalid("market_id", "128", self.create_market, "m" * 129)
        self.assert_invalid("outcomes", "128", self.create_market, outcomes=["Home", "o" * 129])
        self.assert_invalid("client_order_id", "64", self.submit, "BACK", 2.5, 100, client_order_id="c" * 65)
        self.assert_invalid("user_id", "128", self.submit, "BACK", 2.5, 100, user_id="u" * 129)
        self.assert_invalid("reason", "256", self.lifecycle, "CloseMarket", self.market, "r" * 257)
        # What is just not too long, and not ASCII, is kept as it is.
        market = unused_name("Ж" * 20)
        self.assertEqual(self.create_market(market, outcomes=["Дом", "гости"]).market_id, market)
        self.assertEqual(self.book("Дом", market_id=market).outcome_id, "Дом")

    def test_what_is_missing(self):
        self.assert_invalid("market_id", "missing", self.call, "CreateMarket", pb.CreateMarketRequest())
        self.assert_invalid("market_id", "missing", self.lifecycle, "OpenMarket", "")
        self.assert_invalid("market_id", "missing", self.submit, "BACK", 2.5, 100, market_id="")
        self.assert_invalid("outcome_id", "missing", self.submit, "BACK", 2.5, 100, outcome_id="")
        self.assert_invalid("order_id", "missing", self.cancel)
        self.assert_invalid("order_id", "missing", self.cancel, 0, user_id="user_1")

    def test_outcomes(self):
        for outcomes in (["one"], ["same", "same"], ["Home", ""], [f"r{n}" for n in range(257)]):
            with self.subTest(outcomes=outcomes[:3]):
                self.assert_invalid("outcomes", "outcomes", self.create_market, outcomes=outcomes)
        market = self.create_market(outcomes=[f"r{n}" for n in range(256)]).market_id
        self.assertEqual(self.book("r255", market_id=market).status, "CREATED")

    def test_expiry_and_time_in_force_belong_together(self):
        self.assert_invalid("expiry_ms", "GTD", self.submit, "BACK", 2.5, 100, expiry_ms=2**63)
        self.assert_invalid("expiry_ms", "GTD", self.submit, "BACK", 2.5, 100, time_in_force=pb.GTD)

    def test_a_market_that_is_taken_whole(self):
        """Fields of tomorrow and of nobody are ignored, as proto3 has it."""
        unknown = b"\xba\x3e\x05later"  # field 999
        request = pb.CreateMarketRequest.FromString(
            pb.CreateMarketRequest(market_id=unused_name("unknown"), outcomes=self.OUTCOMES).SerializeToString() + unknown
        )
        self.assertEqual(self.call("CreateMarket", request).status, "CREATED")

    def test_bytes_that_are_no_message(self):
        raw = self.channel.unary_unary("/orderbook.v1.OrderBookService/SubmitOrder")
        for junk in (b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xff\xfe"):
            with self.assertRaises(grpc.RpcError) as raised:
                raw(junk, timeout=10)
            self.assertIn(raised.exception.code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT))
        missing = self.channel.unary_unary("/orderbook.v1.OrderBookService/DeleteEverything")
        with self.assertRaises(grpc.RpcError) as raised:
            missing(b"", timeout=10)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
