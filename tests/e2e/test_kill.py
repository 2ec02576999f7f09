"""kill -9 while mail is leaving: each arrives at least once, twice only where the log says it may, and none is lost."""

import collections
import random
import subprocess
import sys
from pathlib import Path

import trio

from crockery.actions.queue import Terms
from crockery.actions.store import Store
from crockery.app.options import wall_clock
from crockery.projections.restore import restore
from tests.support.dns_server import scripted_dns
from tests.support.far_side import FarSide
from tests.support.queue import enqueue, states
from tests.support.server import make_log

MAILS = 80
ROUNDS = 2


def open_store(path: Path) -> Store:
    restored = restore(path, wall_clock)
    return Store(restored.opened.log, restored.state, wall_clock)


def fill(path: Path) -> None:
    store = open_store(path)
    for number in range(MAILS):
        enqueue(store, f"u{number}@x.test", terms=Terms(tls_optional=True))
    store.log.commit()
    store.log.close()


def start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def quiet(side: FarSide) -> None:
    """Wait until no more mail comes."""
    seen = -1
    while seen != len(side.mails):
        seen = len(side.mails)
        await trio.sleep(1.5)


async def test_kill(tmp_path: Path) -> None:
    path = make_log(tmp_path)
    fill(path)
    chance = random.Random(11)
    records = {("x.test", "MX"): ["10 mx.x.test."], ("mx.x.test", "A"): ["127.0.0.1"]}
    with trio.fail_after(90):
        async with scripted_dns(records) as dns, trio.open_nursery() as nursery:
            side = FarSide(nursery, "x.test", end_time=0.02)
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, side._serve, [listener])
            command = [
                sys.executable, "-c", "from crockery.cli.main import main; main()", "run", str(path),
                "--bind", "127.0.0.1",
                "--port-offset", str(chance.randrange(20000, 50000)),
                "--resolver", f"127.0.0.1:{dns.server.port}",
                "--outbound-port", str(listener.socket.getsockname()[1]),
            ]  # fmt: skip
            for round_ in range(ROUNDS + 1):
                before = len(side.mails)
                wanted = MAILS if round_ == ROUNDS else min(before + chance.randrange(20, 60), MAILS - 1)
                process = start(command)
                while len({mail.recipients[0] for mail in side.mails}) < wanted:  # noqa: ASYNC110
                    await trio.sleep(0.005)
                if round_ == ROUNDS:
                    await quiet(side)
                    process.terminate()
                else:
                    process.kill()
                await trio.to_thread.run_sync(process.wait)
            nursery.cancel_scope.cancel()
    arrived = collections.Counter(mail.recipients[0] for mail in side.mails)
    store = open_store(path)
    assert set(arrived) == {f"u{number}@x.test" for number in range(MAILS)}
    assert not {number: states(store, number) for number in store.state.queue.by_id}
    assert sum(arrived.values()) - MAILS <= store.state.queue.possible_duplicates
    store.log.close()
