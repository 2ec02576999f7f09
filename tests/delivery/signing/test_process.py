"""The process that signs: it signs as we do, and when it dies that is told."""

import os
import signal
from subprocess import PIPE

import pytest
import trio

from crockery.children.child import Child, ChildFailed
from crockery.children.frames import encode
from crockery.delivery.signing.process import Kind, SigningProcess
from crockery.delivery.signing.signature import signature_of
from crockery.domain.dkim_keys import generate_keys
from crockery.trust.dkim import SigningKey, load_key
from tests.support.waiting import PATIENCE

KEYS = [("example.com", key.selector, key.private) for key in generate_keys("2026nov")]
MESSAGES = [
    b"From: Anna <anna@%b>\r\nSubject: %d\r\n\r\nHello\r\n" % (domain, number)
    for number, domain in enumerate([b"example.com", b"example.net", b"EXAMPLE.com"])
]


async def test_it_signs() -> None:
    with trio.fail_after(PATIENCE):
        process = await SigningProcess.start(KEYS)
        await process.sign(MESSAGES, 7)
        signed: list[bytes] = []
        while len(signed) < len(MESSAGES):
            signed += await process.signatures()
        await process.end()
    keys = {"example.com": [SigningKey(selector, load_key(octets)) for _, selector, octets in KEYS]}
    assert signed == [signature_of((message,), keys, 7) for message in MESSAGES]
    assert [fields.count(b"DKIM-Signature:") for fields in signed] == [2, 0, 2]


async def test_its_death_is_told() -> None:
    with trio.fail_after(PATIENCE):
        child = await Child.start("crockery.delivery.signing.child")
        process = SigningProcess(child)
        os.kill(child.process_id, signal.SIGKILL)
        with pytest.raises(ChildFailed, match="SIGKILL"):
            await process.signatures()
        with pytest.raises(ChildFailed, match="SIGKILL"):
            await process.sign([b"x" * 1_000_000], 7)
        await process.end()


async def test_a_key_that_is_none_is_passed_over() -> None:
    domain, selector, octets = KEYS[0]
    with trio.fail_after(PATIENCE):
        process = await SigningProcess.start([(domain, "s", b"no key"), KEYS[0]])
        await process.sign(MESSAGES[:1], 7)
        signed = await process.signatures()
        await process.end()
    keys = {domain: [SigningKey(selector, load_key(octets))]}
    assert signed == [signature_of(MESSAGES[:1], keys, 7)]


async def test_it_ends_with_the_server_and_no_sooner() -> None:
    with trio.fail_after(PATIENCE):
        child = await Child.start("crockery.delivery.signing.child")
        await child.send(encode(Kind.KEYS))
        assert (await child.receive()).kind == Kind.READY
        for stop in (signal.SIGTERM, signal.SIGINT):  # what stops the server may be sent to all its processes
            os.kill(child.process_id, stop)
        await child.send(encode(Kind.SIGN, MESSAGES[0], 7))
        assert (await child.receive()) == (Kind.SIGNED, [b""])
        assert child._process.stdin is not None
        await child._process.stdin.aclose()  # as when the server is killed
        with pytest.raises(ChildFailed, match="status 0"):
            await child.receive()
        await child.end()


@pytest.mark.parametrize("said", [encode(Kind.READY), encode(Kind.SIGNED), encode(Kind.SIGNED, 1), encode(9, b"")])
async def test_nonsense(said: bytes) -> None:
    with trio.fail_after(PATIENCE):
        process = await trio.lowlevel.open_process(["cat"], stdin=PIPE, stdout=PIPE)
        child = Child(process)
        await child.send(said)
        with pytest.raises(ChildFailed):
            await SigningProcess(child).signatures()
        await child.end()
