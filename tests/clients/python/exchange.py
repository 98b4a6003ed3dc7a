"""The real server as a child process, and a client of it, in the words of the API reference.

The path of the server's binary is in the environment variable BETEX_SERVER; `cargo xtask clients` builds the
server and sets it.
"""

import itertools
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import grpc

from stubs import pb, pb_grpc

START_MAX_S = 30
CALL_MAX_S = 20


# Below those that systems lend to outgoing connections: a port must still be free after a restart.
PORTS = range(20_000, 32_000)


def free_port():
    while True:
        port = random.choice(PORTS)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """A server on free ports of the loopback, over a directory of its own."""

    def __init__(self):
        program = os.environ.get("BETEX_SERVER")
        if not program:
            raise unittest.SkipTest("BETEX_SERVER does not name the server; run `cargo xtask clients`")
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="betex-data-")
        self.data = pathlib.Path(self._folder.name) / "data"
        self.grpc_port, self.http_port = free_port(), free_port()
        self.log = pathlib.Path(self._folder.name) / "server.log"
        self.process = None
        self.start()

    def launch(self, log, data=None, grpc_port=None, http_port=None):
        """Starts a process without waiting for it; what it prints goes to a file."""
        arguments = ["--grpc-port", str(grpc_port or self.grpc_port)]
        arguments += ["--http-port", str(http_port or self.http_port)]
        arguments += ["--data-dir", str(data or self.data)]
        with log.open("w") as output:
            return subprocess.Popen([self._program, *arguments], stdout=output, stderr=subprocess.STDOUT)

    def start(self):
        """Starts it and waits until it says that it is ready."""
        self.process = self.launch(self.log)
        deadline = time.monotonic() + START_MAX_S
        while "Ready" not in self.output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"the server did not start: {self.output()}")
            time.sleep(0.01)

    def output(self):
        return self.log.read_text()

    def kill(self):
        """SIGKILL: no chance to say or save anything."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def stop(self):
        """SIGTERM: it answers what it has and goes."""
        self._end(signal.SIGTERM, 0)

    def _end(self, with_signal, expected):
        self.process.send_signal(with_signal)
        self.process.wait(timeout=START_MAX_S)
        assert self.process.returncode == expected, f"{self.process.returncode}: {self.output()}"

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._folder.cleanup()

    @property
    def websocket(self):
        return f"ws://127.0.0.1:{self.http_port}/ws"


_names = itertools.count(1)


def unused_name(what):
    return f"{what}-{next(_names)}"


class ExchangeTest(unittest.TestCase):
    """A test with a server, one for all tests of its class, and a market of its own."""

    OUTCOMES = ["Liverpool", "Draw", "Arsenal"]

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        options = [("grpc.max_send_message_length", -1), ("grpc.max_reconnect_backoff_ms", 100)]
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.server.grpc_port}", options=options)
        cls.addClassCleanup(cls.channel.close)
        cls.client = pb_grpc.OrderBookServiceStub(cls.channel)

    def setUp(self):
        self.market = self.open_market()

    def call(self, method, request):
        # Waits while a server that was just started again is being reached.
        return getattr(self.client, method)(request, timeout=CALL_MAX_S, wait_for_ready=True)

    def create_market(self, market_id=None, outcomes=None, **fields):
        market_id = market_id or unused_name("market")
        request = pb.CreateMarketRequest(market_id=market_id, outcomes=outcomes or self.OUTCOMES, **fields)
        return self.call("CreateMarket", request)

    def lifecycle(self, method, market_id, reason=""):
        return self.call(method, pb.MarketLifecycleRequest(market_id=market_id, reason=reason)).status

    def open_market(self, **fields):
        market_id = self.create_market(**fields).market_id
        self.assertEqual(self.lifecycle("OpenMarket", market_id), "OPEN")
        return market_id

    def order(self, side, price, quantity, **fields):
        """A LIMIT order at decimal odds, unless the fields say otherwise."""
        form = dict(
            market_id=self.market,
            outcome_id=self.OUTCOMES[0],
            side=side,
            price=price,
            price_type=pb.DECIMAL_ODDS,
            quantity=quantity,
            order_type="LIMIT",
        )
        return pb.SubmitOrderRequest(**(form | fields))

    def submit(self, side, price, quantity, **fields):
        return self.call("SubmitOrder", self.order(side, price, quantity, **fields))

    def cancel(self, order_id=0, **fields):
        form = dict(market_id=self.market, order_id=order_id) | fields
        return self.call("CancelOrder", pb.CancelOrderRequest(**form))

    def book(self, outcome_id=None, depth=0, market_id=None):
        request = pb.GetOrderBookRequest(
            market_id=market_id or self.market, outcome_id=outcome_id or self.OUTCOMES[0], depth=depth
        )
        return self.call("GetOrderBook", request)

    def levels(self, side, **fields):
        """`bids` or `asks` as (odds, quantity, orders)."""
        book = self.book(**fields)
        return [(level.odds, level.quantity, level.order_count) for level in getattr(book, side)]

    def assert_status(self, code, starts, contains, call, *arguments, **fields):
        """The call fails with this code, its message begins with a word and says what would be valid."""
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, **fields)
        error = raised.exception
        self.assertEqual(error.code(), getattr(grpc.StatusCode, code), error.details())
        self.assertTrue(error.details().startswith(f"{starts}:"), error.details())
        self.assertIn(contains, error.details())
        self.assertLess(len(error.details()), 1_000)

    def assert_rejected(self, response, reason, contains):
        self.assertEqual((response.status, response.rejection_reason), ("REJECTED", reason), response.message)
        self.assertIn(contains, response.message)
        self.assertEqual((response.filled_quantity, response.remaining_quantity), (0, 0))
