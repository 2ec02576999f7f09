"""The HTTPS fetch: good answers, all the bad ones, and no word to our neighbours."""

import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trustme

from crockery.net.https import FetchFailed, Page, get, is_public, verifying_context
from crockery.net.resolver import Answer, Status
from tests.support.tls_server import tls_server
from tests.support.waiting import PATIENCE

CA = trustme.CA()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\n"


class Addresses:
    def __init__(self, *addresses: str, status: Status = Status.FOUND) -> None:
        self._answer = Answer(status, addresses)

    async def addresses(self, name: str) -> Answer[str]:
        return self._answer


HERE = Addresses("127.0.0.1")


def server_context(name: str = "sts.test", ca: trustme.CA = CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    return verifying_context(CA.cert_pem.bytes().decode())


async def fetch(
    answers: Sequence[bytes],
    *,
    context: ssl.SSLContext | None = None,
    addresses: Addresses = HERE,
    closes: bool = True,
    timeout: float = PATIENCE,
) -> Page:
    with trio.fail_after(PATIENCE):
        async with tls_server(context or server_context(), answers, closes=closes) as served:
            try:
                page = await get(
                    "sts.test",
                    "/policy.txt",
                    resolver=addresses,
                    context=client_context(),
                    port=served.port,
                    timeout=timeout,
                    max_body=100,
                    allow_private=True,
                )
            except FetchFailed as error:  # carried out of the server's nursery, which would wrap it
                failure = error
            else:
                assert served.requests[0].startswith(b"GET /policy.txt HTTP/1.1\r\nHost: sts.test\r\n")
                return page
    raise failure


GOOD = {
    "length": [OK + b"Content-Length: 5\r\n\r\nhello"],
    "in pieces": [OK[:20], OK[20:], b"Content-Length: 5\r\n\r\nhe", b"llo"],
    "chunked": [OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
    "up to the end": [OK + b"Connection: close\r\n\r\nhello"],
    "1.0": [OK.replace(b"1.1", b"1.0") + b"\r\nhello"],
    "after 103": [b"HTTP/1.1 103 Early Hints\r\n\r\n", OK + b"Content-Length: 5\r\n\r\nhello"],
}


@pytest.mark.parametrize("name", GOOD)
async def test_good_answers(name: str) -> None:
    assert await fetch(GOOD[name]) == Page("text/plain", b"hello")


BAD = {
    "redirect": ([b"HTTP/1.1 301 Moved\r\nLocation: https://sts.test/x\r\nContent-Length: 0\r\n\r\n"], "301"),
    "not found": ([b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"], "404"),
    "no content": ([b"HTTP/1.1 204 No\r\n\r\n"], "204"),
    "too large": ([OK + b"Content-Length: 101\r\n\r\n" + b"x" * 101], "larger"),
    "too large, in chunks": (
        [OK + b"Transfer-Encoding: chunked\r\n\r\n" + (b"32\r\n" + b"x" * 50 + b"\r\n") * 3 + b"0\r\n\r\n"],
        "larger",
    ),
    "endless head": ([OK + b"X: " + b"x" * 500_000 + b"\r\n\r\n"], "not HTTP"),
    "cut short": ([OK + b"Content-Length: 5\r\n\r\nhe"], "not HTTP"),
    "nothing": ([], "not HTTP|closed|no connection"),
    "not HTTP": ([b"220 hello\r\n\r\n"], "not HTTP"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_answers(name: str) -> None:
    answers, why = BAD[name]
    with pytest.raises(FetchFailed, match=why) as failed:
        await fetch(answers)
    assert not failed.value.is_certificate


@pytest.mark.parametrize("context", [server_context("other.test"), server_context(ca=trustme.CA())])
async def test_bad_certificates(context: ssl.SSLContext) -> None:
    with pytest.raises(FetchFailed, match="certificate") as failed:
        await fetch(GOOD["length"], context=context)
    assert failed.value.is_certificate


async def test_a_slow_server() -> None:
    with pytest.raises(FetchFailed, match="in time"):
        await fetch([OK], closes=False, timeout=0.1)


async def test_the_next_address_where_one_refuses() -> None:
    assert await fetch(GOOD["length"], addresses=Addresses("127.0.0.9", "127.0.0.1")) == Page("text/plain", b"hello")
    with pytest.raises(FetchFailed, match="no connection"):
        await fetch(GOOD["length"], addresses=Addresses("127.0.0.9"))


async def test_names_without_address() -> None:
    for status in (Status.NXDOMAIN, Status.SERVFAIL):
        with pytest.raises(FetchFailed, match="no address"):
            await fetch([], addresses=Addresses(status=status))


async def test_private_addresses_are_not_touched(tmp_path: Path) -> None:
    with trio.fail_after(PATIENCE):
        async with tls_server(server_context()) as served:
            with pytest.raises(FetchFailed, match="public"):
                await get("sts.test", "/", resolver=HERE, context=client_context(), port=served.port)
            assert served.requests == []


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "fc00::1",
        "fe80::1",
        "ff02::1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "2002:101:101::1",
        "2001:0:101:101::1",
    ],
)
def test_other_addresses(address: str) -> None:
    assert not is_public(address)
