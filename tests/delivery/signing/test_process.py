"""The process that signs: it signs as we do, and when it dies that is told."""

import os
import signal

import pytest
import trio

from crockery.children.child import Child, ChildFailed
from crockery.delivery.signing.process import SigningProcess
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


async def test_keys_that_are_none() -> None:
    with trio.fail_after(PATIENCE), pytest.raises(ChildFailed, match="status 1"):
        await SigningProcess.start([("example.com", "s", b"no key")])
