"""The control API on its socket, as a stranger to our own client meets it."""

import http.client
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crockery.app import Server
from crockery.limits import CONTROL_BODY_MAX
from crockery.web.control.address import short_path, socket_path
from tests.support.commands import serving
from tests.support.server import make_log
from tests.support.waiting import PATIENCE


class Client(http.client.HTTPConnection):
    """HTTP over the socket."""

    def __init__(self, log: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._log = log

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        with short_path(socket_path(self._log)) as name:
            self.sock.connect(name)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self.request(method, path, data, headers)
        response = self.getresponse()
        return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(make_log(tmp_path_factory.mktemp("control"))) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server.options.log)
    yield client
    client.close()


def test_only_the_owner_can_open_the_socket(server: Server) -> None:
    assert stat.S_IMODE(os.stat(socket_path(server.options.log)).st_mode) == 0o600


def test_a_connection_serves_many_requests_and_is_one_session(client: Client) -> None:
    status, made = client.ask("POST", "/v1/accounts", {"name": "carl", "password": "x"}, **{"User-Agent": "a test"})
    assert (status, made["address"]) == (200, "carl@example.test")
    assert client.ask("PATCH", "/v1/accounts/carl", {"disabled": True})[1]["disabled"] is True
    assert client.ask("DELETE", "/v1/accounts/carl")[0] == 200
    client.request("GET", "/v1/history?account=carl")
    entries = [json.loads(line) for line in client.getresponse()]
    assert {entry["facts"]["by"] for entry in entries} == {entries[0]["facts"]["by"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/v1/accounts/nobody", None, 404, "nonexistent"),
        ("GET", "/v1/accounts/%2e%2e%2f", None, 404, "nonexistent"),
        ("GET", "/v1/nothing", None, 404, "no-such-resource"),
        ("GET", "/", None, 404, "no-such-resource"),
        ("PUT", "/v1/accounts", None, 405, "method-not-allowed"),
        ("POST", "/v1/accounts", {"name": "anna", "password": "x"}, 409, "already-exists"),
        ("POST", "/v1/accounts", {"name": "a b", "password": "x"}, 422, "cannot"),
        ("POST", "/v1/accounts", {"name": "emil", "password": ""}, 400, "bad-request"),
        ("POST", "/v1/accounts", {"password": "x"}, 400, "bad-request"),
        ("POST", "/v1/accounts", {"name": 7, "password": "x"}, 400, "bad-request"),
        ("POST", "/v1/accounts", [], 400, "bad-request"),
        ("POST", "/v1/accounts", b"{", 400, "bad-request"),
        ("POST", "/v1/accounts", b"\xff", 400, "bad-request"),
        ("POST", "/v1/accounts", b"[" * 100_000, 400, "bad-request"),
        ("POST", "/v1/accounts", b"x" * (CONTROL_BODY_MAX + 1), 413, "too-large"),
        ("PATCH", "/v1/accounts/anna", {"disabled": "yes"}, 400, "bad-request"),
        ("PUT", "/v1/aliases/sales", {"targets": "anna"}, 400, "bad-request"),
        ("PUT", "/v1/wildcard", {"account": 5}, 400, "bad-request"),
        ("PUT", "/v1/settings/domain", {}, 400, "bad-request"),
        ("PUT", "/v1/settings/domain", {"value": [1]}, 400, "bad-request"),
        ("GET", "/v1/log?last=x", None, 400, "bad-request"),
        ("GET", "/v1/history", None, 400, "bad-request"),
        ("GET", "/v1/history?mailbox=INBOX", None, 400, "bad-request"),
        ("GET", "/v1/history?account=nobody", None, 404, "nonexistent"),
        ("GET", "/v1/queue/99999999999999999999999", None, 400, "bad-request"),
    ],
)
def test_errors_have_one_shape(client: Client, method: str, path: str, body: Any, status: int, reason: str) -> None:
    found, error = client.ask(method, path, body)
    assert (found, set(error), error["error"]["reason"]) == (status, {"error"}, reason)
    assert set(error["error"]) == {"reason", "message"}
    assert error["error"]["message"]


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01 junk\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 9000, bytes(99999)]
)
def test_what_is_not_http_is_told_so_or_cut_off(server: Server, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as sock, short_path(socket_path(server.options.log)) as name:
        sock.connect(name)
        sock.settimeout(PATIENCE)
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            answer = sock.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_log_follow_goes_on_with_what_happens(server: Server, client: Client) -> None:
    follower = Client(server.options.log)
    follower.request("GET", "/v1/log?follow=1&last=1")
    lines = iter(follower.getresponse())
    before = json.loads(next(lines))
    client.ask("PUT", "/v1/aliases/news", {"targets": ["ben"]})
    session, alias = json.loads(next(lines)), json.loads(next(lines))
    follower.close()
    assert before["number"] < session["number"] < alias["number"]
    assert (session["type"], alias["type"]) == ("SessionOpened", "AliasAdded")
    assert client.ask("GET", "/v1/status")[0] == 200  # a follower that went harms nobody


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 30)
    folder.mkdir(parents=True)
    log = make_log(folder)
    with serving(log):
        client = Client(log)
        assert client.ask("GET", "/v1/status")[1]["running"] is True
        client.close()


def test_a_socket_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    log = make_log(tmp_path)
    left = socket.socket(socket.AF_UNIX)
    with short_path(socket_path(log)) as name:
        left.bind(name)
    left.close()
    with serving(log):
        client = Client(log)
        assert client.ask("GET", "/v1/status")[0] == 200
        client.close()
