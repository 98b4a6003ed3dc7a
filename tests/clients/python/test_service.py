"""What stands around the service: health, reflection, addresses."""

import json
import socket
import urllib.request

import grpc

from exchange import ExchangeTest
from stubs import pb_grpc

SERVING = b"\x08\x01"


class ServiceTest(ExchangeTest):
    def test_health(self):
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        for service in ("", "orderbook.v1.OrderBookService"):
            name = service.encode()
            request = b"\x0a" + bytes([len(name)]) + name if name else b""
            self.assertEqual(check(request, timeout=10), SERVING, service)

    def test_health_over_http(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.http_port}/health", timeout=10) as response:
            self.assertEqual(response.status, 200)
            self.assertIsInstance(json.loads(response.read()), dict)

    def test_reflection_lists_the_service(self):
        info = self.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        list_services = b"\x3a\x01*"
        answer = next(info(iter([list_services]), timeout=10))
        self.assertIn(b"orderbook.v1.OrderBookService", answer)

    def test_it_listens_on_ipv4_and_ipv6(self):
        for host in ("127.0.0.1", "[::1]"):
            with self.subTest(host=host):
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                try:
                    socket.socket(family).close()
                except OSError:
                    self.skipTest(f"this machine has no {family.name}")
                with grpc.insecure_channel(f"{host}:{self.server.grpc_port}") as channel:
                    client = pb_grpc.OrderBookServiceStub(channel)
                    self.assertEqual(client.SubmitOrder(self.order("BACK", 2.5, 1), timeout=10).status, "RESTING")
