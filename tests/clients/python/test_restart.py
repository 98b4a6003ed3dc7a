"""The server is stopped or killed and started again: nothing that was acknowledged is lost."""

import subprocess

import grpc

from exchange import ExchangeTest, free_port
from stubs import pb


class RestartTest(ExchangeTest):
    def everything(self):
        return {outcome: self.book(outcome) for outcome in self.OUTCOMES}

    def fill_the_market(self):
        self.ids = [self.submit("LAY", odds, 100, user_id="user_1").order_id for odds in (2.5, 2.6, 2.5)]
        self.submit("BACK", 2.6, 130, user_id="user_2")
        self.submit("BACK", 7.0, 30, outcome_id="Draw", user_id="user_3", client_order_id="mine")

    def check_that_it_goes_on(self):
        """Priority, names and client ids are as they were."""
        again = self.submit("BACK", 7.2, 1, outcome_id="Draw", user_id="user_3", client_order_id="mine")
        self.assertEqual(again.rejection_reason, "DUPLICATE_CLIENT_ID")
        self.assertEqual(self.submit("BACK", 2.5, 1, user_id="user_1").rejection_reason, "SELF_TRADE")
        taker = self.submit("BACK", 2.5, 150, user_id="user_2")
        self.assertEqual([fill.maker_order_id for fill in taker.fills], [self.ids[0], self.ids[2]])
        self.assertGreater(taker.order_id, max(self.ids))

    def test_killed(self):
        self.fill_the_market()
        before = self.everything()
        self.server.kill()
        self.server.start()
        self.assertEqual(self.everything(), before)
        self.check_that_it_goes_on()

    def test_killed_while_it_works(self):
        """Orders are answered until the server dies; every one that was answered is there afterwards."""
        answered, pending = set(), []
        for n in range(2_000):
            pending.append(self.client.SubmitOrder.future(self.order("LAY", 2.5, 1, client_order_id=f"o{n}", user_id="anna")))
            if n == 1_000:
                pending[200].result()
                self.server.kill()
        for n, future in enumerate(pending):
            if future.exception() is None:
                answered.add((n, future.result().order_id))
        self.server.start()
        self.assertGreater(len(answered), 200)
        for n in range(len(pending)):
            order = self.submit("LAY", 2.5, 1, client_order_id=f"o{n}", user_id="anna")
            if order.rejection_reason == "DUPLICATE_CLIENT_ID":
                answered.discard((n, order.order_id))
        self.assertEqual(answered, set())
        self.assertEqual(self.levels("asks"), [(2.5, len(pending), len(pending))])

    def test_stopped(self):
        self.fill_the_market()
        before = self.everything()
        self.server.stop()
        self.server.start()
        self.assertEqual(self.everything(), before)
        self.check_that_it_goes_on()

    def test_the_journal_deleted_is_a_fresh_start(self):
        """As the reference says: stop, delete data/journal.log, start."""
        self.server.stop()
        (self.server.data / "journal.log").unlink()
        self.server.start()
        with self.assertRaises(grpc.RpcError) as raised:
            self.book()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_what_it_prints(self):
        self.server.stop()
        self.server.start()
        said = self.server.output()
        for word in (str(self.server.grpc_port), str(self.server.http_port), "recovered", "durability: always"):
            self.assertIn(word, said.lower())


class StartTest(ExchangeTest):
    """A server that cannot start says in a sentence what to do."""

    def refused(self, expected, **fields):
        log = self.server.data.parent / "refused.log"
        process = self.server.launch(log, **fields)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.fail(f"the server started: {log.read_text()}")
        said = log.read_text()
        self.assertNotEqual(process.returncode, 0)
        self.assertIn(expected, said)
        self.assertNotIn("panicked", said)

    def test_a_second_server_on_the_same_directory(self):
        self.refused(str(self.server.data), grpc_port=free_port(), http_port=free_port())
        self.assertEqual(self.submit("BACK", 2.5, 100).status, "RESTING")

    def test_a_port_in_use(self):
        other = self.server.data.parent / "other"
        self.refused(str(self.server.grpc_port), data=other, http_port=free_port())
        self.refused(str(self.server.http_port), data=other, grpc_port=free_port())

    def test_a_journal_that_is_none(self):
        folder = self.server.data.parent / "strange"
        folder.mkdir()
        (folder / "journal.log").write_text("what is this?\n")
        self.refused("journal.log", data=folder, grpc_port=free_port(), http_port=free_port())

    def test_a_directory_that_is_a_file(self):
        path = self.server.data.parent / "file"
        path.write_text("")
        self.refused(str(path), data=path, grpc_port=free_port(), http_port=free_port())
