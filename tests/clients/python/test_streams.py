"""SubscribeMarket and the WebSocket."""

import contextlib
import json
import queue
import threading
import time

from websockets.sync.client import connect

from exchange import ExchangeTest
from stubs import pb

WAIT_S = 10


class Stream:
    """The updates of a subscription, read by a thread of its own."""

    def __init__(self, test, **fields):
        self.call = test.client.SubscribeMarket(pb.SubscribeMarketRequest(market_id=test.market, **fields))
        self.updates = queue.Queue()
        test.addCleanup(self.call.cancel)
        # The headers come once the subscription stands: what happens from here on is seen.
        self.call.initial_metadata()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for update in self.call:
                self.updates.put(update)
        except Exception as error:
            self.updates.put(error)

    def next(self):
        """The next update that is no heartbeat, and what kind it is."""
        deadline = time.monotonic() + WAIT_S
        while True:
            update = self.updates.get(timeout=max(0, deadline - time.monotonic()))
            if isinstance(update, Exception):
                raise update
            if update.WhichOneof("update") != "heartbeat":
                return update

    def until(self, sequence):
        """All updates up to and with the last one of this sequence's transaction."""
        updates = []
        while not (updates and updates[-1].sequence >= sequence and updates[-1].ends_transaction):
            updates.append(self.next())
        return updates


def kinds(updates):
    return [update.WhichOneof("update") for update in updates]


class SubscribeTest(ExchangeTest):
    def test_a_match_is_received(self):
        stream = Stream(self)
        maker = self.submit("LAY", 2.5, 100, user_id="maker", client_order_id="m1")
        taker = self.submit("BACK", 2.5, 40, user_id="taker")
        updates = stream.until(taker.sequence)
        [match] = [update.match_event for update in updates if update.WhichOneof("update") == "match_event"]
        self.assertEqual((match.maker_order_id, match.taker_order_id), (maker.order_id, taker.order_id))
        self.assertEqual((match.price, match.odds, match.quantity), (400_000, 2.5, 40))
        self.assertEqual((match.outcome_id, match.maker_side, match.taker_side), ("Liverpool", "LAY", "BACK"))
        self.assertEqual((match.payout, match.trade_id), (40 * 250, match.sequence))
        self.assertEqual(match.stake, 40 * 100)
        self.assertLess(abs(match.timestamp / 1e9 - time.time()), 60)
        orders = [update.order_update for update in updates if update.WhichOneof("update") == "order_update"]
        first = orders[0]
        self.assertEqual((first.order_id, first.status, first.side), (maker.order_id, "RESTING", "LAY"))
        self.assertEqual((first.user_id, first.client_order_id, first.quantity), ("maker", "m1", 100))
        last = {order.order_id: order for order in orders}
        filled = last[maker.order_id]
        self.assertEqual((filled.status, filled.filled_quantity, filled.remaining_quantity), ("PARTIALLY_FILLED", 40, 60))
        self.assertEqual((first.remaining_stake, filled.remaining_stake), (10_000, 6_000))
        self.assertEqual(last[taker.order_id].status, "FILLED")
        levels = [update.book_update for update in updates if update.WhichOneof("update") == "book_update"]
        self.assertEqual([(level.side, level.odds, level.quantity, level.order_count) for level in levels],
                         [("LAY", 2.5, 100, 1), ("LAY", 2.5, 60, 1)])

    def test_what_orders_have_left_is_exact(self):
        stream = Stream(self)
        self.submit("BACK", 3.4, 333, outcome_id="Draw", user_id="maker")
        self.submit("BACK", 4.2, 100_000, outcome_id="Arsenal", user_id="maker")
        taker = self.submit("BACK", 2.0, 5_000, user_id="taker")
        last = self.cancel(taker.order_id)
        self.assertEqual((taker.remaining_quantity, last.cancelled_quantity), (4_470, 4_470))
        updates = stream.until(last.sequence)
        orders = [update.order_update for update in updates if update.WhichOneof("update") == "order_update"]
        told = [(order.status, order.filled_quantity, order.remaining_quantity, order.remaining_stake)
                for order in orders if order.order_id == taker.order_id]
        self.assertEqual(told, [("PARTIALLY_FILLED", 530, 4_470, 447_037), ("CANCELLED", 530, 0, 0)])
        legs = [update.match_event for update in updates if update.WhichOneof("update") == "match_event"]
        self.assertEqual([(leg.quantity, leg.stake) for leg in legs], [(530, 52_963), (333, 33_300), (270, 26_957)])

    def test_sequences_have_no_gap_and_the_past_can_be_had_again(self):
        created = self.create_market()
        self.market = created.market_id
        live = Stream(self)
        self.lifecycle("OpenMarket", self.market)
        for _ in range(20):
            self.submit("LAY", 2.5, 100)
            last = self.submit("BACK", 2.5, 150)
            self.cancel(last.order_id)
        closing = self.call("CloseMarket", pb.MarketLifecycleRequest(market_id=self.market)).sequence
        seen = live.until(closing)
        # The whole past again; its first event, the market's creation, happened before `live` came.
        again = Stream(self, from_sequence=created.sequence).until(closing)
        self.assertEqual([update.SerializeToString() for update in again if update.sequence > created.sequence],
                         [update.SerializeToString() for update in seen])
        # Nothing happens elsewhere meanwhile, so both count the same steps; the creation is the market's first.
        numbers = {update.sequence: update.market_sequence for update in again}
        self.assertEqual(list(numbers.values()), list(range(1, closing - created.sequence + 2)))
        self.assertEqual(sorted(update.sequence for update in again), [update.sequence for update in again])
        # From the middle of it, and from what has not happened yet.
        middle = seen[len(seen) // 2].sequence
        part = Stream(self, from_sequence=middle).until(closing)
        self.assertEqual(part[0].sequence, middle)
        beyond = self.client.SubscribeMarket(
            pb.SubscribeMarketRequest(market_id=self.market, from_sequence=closing + 1_000_000), timeout=WAIT_S)
        self.assert_status("OUT_OF_RANGE", "SEQUENCE_AHEAD", "from_sequence", next, beyond)

    def test_a_snapshot_and_its_updates_are_the_book(self):
        self.submit("LAY", 2.5, 100)
        self.submit("LAY", 2.6, 50)
        stream = Stream(self, snapshot=True)
        snapshot = stream.next()
        self.assertEqual(kinds([snapshot]), ["snapshot"])
        shown = {(book.outcome_id, "LAY", level.odds): level.quantity
                 for book in snapshot.snapshot.books for level in book.asks}
        self.assertEqual(shown, {("Liverpool", "LAY", 2.5): 100, ("Liverpool", "LAY", 2.6): 50})
        self.assertEqual((snapshot.snapshot.status, snapshot.snapshot.phase), ("OPEN", "PRE"))
        last = self.submit("BACK", 2.5, 75)
        for update in stream.until(last.sequence):
            if update.WhichOneof("update") == "book_update":
                level = update.book_update
                shown[level.outcome_id, level.side, level.odds] = level.quantity
        left = {key: quantity for key, quantity in shown.items() if quantity}
        self.assertEqual(left, {("Liverpool", "LAY", 2.5): 75})

    def test_the_status_is_told(self):
        stream = Stream(self)
        self.lifecycle("SuspendMarket", self.market, "VAR check")
        update = stream.next()
        self.assertEqual(kinds([update]), ["market_status"])
        self.assertEqual((update.market_status.status, update.market_status.reason), ("SUSPENDED", "VAR check"))

    def test_a_heartbeat_carries_the_last_sequence(self):
        last = self.submit("LAY", 2.5, 100).sequence
        stream = Stream(self)
        update = stream.updates.get(timeout=WAIT_S)
        self.assertEqual(kinds([update]), ["heartbeat"])
        self.assertEqual(update.heartbeat.sequence, last)

    def test_other_markets_are_not_heard(self):
        stream = Stream(self)
        other = self.open_market()
        self.submit("LAY", 2.5, 100, market_id=other)
        own = self.submit("LAY", 2.5, 100)
        self.assertEqual({update.sequence for update in stream.until(own.sequence)}, {own.sequence})


class WebSocketTest(ExchangeTest):
    def listen(self, query=""):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(connect(self.server.websocket + query))

    def events(self, socket, until):
        """All events until there is one of this type."""
        events = []
        while not events or events[-1]["type"] != until:
            events.append(json.loads(socket.recv(timeout=WAIT_S)))
        return events

    def test_the_six_events(self):
        # All of the past of this market, and then what happens.
        before = self.submit("LAY", 50, 1)
        socket = self.listen()
        self.cancel(before.order_id)
        self.events(socket, "order_cancelled")

        self.market = self.open_market(name="Final")
        maker = self.submit("LAY", 2.5, 100, user_id="user_abc")
        taker = self.submit("BACK", 2.5, 100, user_id="user_xyz")
        expiry_ms = int(time.time() * 1_000) + 200
        expiring = self.submit("BACK", 4.0, 7, time_in_force=pb.GTD, expiry_ms=expiry_ms)
        events = self.events(socket, "order_expired")
        cancelled = self.submit("BACK", 5.0, 9, outcome_id="Draw")
        self.cancel(cancelled.order_id)
        events += self.events(socket, "order_cancelled")

        sequences = [event.pop("sequence") for event in events]
        self.assertEqual(sequences, sorted(sequences))
        timestamps = [event.pop("timestamp") for event in events if event["type"] == "match"]
        self.assertLess(abs(timestamps[0] / 1e9 - time.time()), 60)
        about = {"market_id": self.market, "outcome_id": "Liverpool"}
        draw = {"market_id": self.market, "outcome_id": "Draw"}

        def submitted(order, side, price, size, user_id, expiry_ms=None, about=about):
            return {"type": "order_submit", "order_id": order.order_id, "side": side, "price": price, "size": size,
                    "user_id": user_id, "expiry_ms": expiry_ms, **about}

        self.assertEqual(events, [
            {"type": "market_created", "market_id": self.market, "name": "Final", "model": "EXCHANGE_ODDS",
             "outcomes": self.OUTCOMES},
            submitted(maker, "lay", 400_000, 100, "user_abc"),
            submitted(taker, "back", 400_000, 100, "user_xyz"),
            {"type": "match", "maker_order_id": maker.order_id, "taker_order_id": taker.order_id,
             "maker_side": "Short", "taker_side": "Long", "price": 400_000, "quantity": 100,
             "is_synthetic": False, "is_cross_match": False, "stake": 10_000, **about},
            {"type": "order_filled", "order_id": maker.order_id, **about},
            {"type": "order_filled", "order_id": taker.order_id, **about},
            submitted(expiring, "back", 250_000, 7, "", expiry_ms),
            {"type": "order_expired", "order_id": expiring.order_id, **about},
            submitted(cancelled, "back", 200_000, 9, "", about=draw),
            {"type": "order_cancelled", "order_id": cancelled.order_id, **draw},
        ])

    def test_filter_and_resume(self):
        first = self.submit("LAY", 2.5, 100)
        other = self.open_market()
        self.submit("LAY", 2.5, 100, market_id=other)
        last = self.submit("LAY", 2.6, 100)
        socket = self.listen(f"?market_id={self.market}&from_sequence={first.sequence}")
        events = [json.loads(socket.recv(timeout=WAIT_S)) for _ in range(2)]
        self.assertEqual([event["sequence"] for event in events], [first.sequence, last.sequence])

    def test_all_events(self):
        socket = self.listen(f"?market_id={self.market}&events=all")
        order = self.submit("LAY", 2.5, 100)
        self.cancel(order.order_id, keep_quantity=40)
        self.lifecycle("SuspendMarket", self.market, "VAR check")
        self.lifecycle("OpenMarket", self.market)
        self.lifecycle("CloseMarket", self.market)
        events = self.events(socket, "market_closed")
        types = [event["type"] for event in events]
        for expected in ("order_submit", "book_update", "order_reduced", "market_suspended", "market_opened"):
            self.assertIn(expected, types)
        [reduced] = [event for event in events if event["type"] == "order_reduced"]
        self.assertEqual((reduced["cancelled_quantity"], reduced["remaining_quantity"]), (60, 40))
        self.assertEqual(reduced["remaining_stake"], 4_000)
