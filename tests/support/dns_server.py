"""DNS servers for tests: a scripted one on Trio, and NSD with zones signed by ldns, as in the world."""

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import trio

from crockery.net.resolver import Server
from crockery.net.resolver.unbound import UnboundMissing, load
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE

Responder = Callable[[dns.message.Message], dns.message.Message | bytes | None]


@dataclasses.dataclass
class ScriptedDNS:
    """`records` maps (name, type) to rdata texts, TTL 300; or to a responder. Names in it
    have no other records, all other names do not exist. `questions` are those asked so far, "name type"."""

    records: Mapping[tuple[str, str], list[str] | Responder]
    server: Server = dataclasses.field(default_factory=lambda: Server("127.0.0.1", 0))
    flags: int = 0
    questions: list[str] = dataclasses.field(default_factory=list)

    def respond(self, wire: bytes) -> bytes | None:
        """The answer to a question."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True)
        rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        self.questions.append(f"{name} {rdtype}")
        found = self.records.get((name, rdtype)) or self.records.get((name, "CNAME"), [])
        if callable(found):
            answer = found(query)
            return answer.to_wire() if isinstance(answer, dns.message.Message) else answer
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= self.flags
        kind = rdtype if (name, rdtype) in self.records else "CNAME"
        if found:
            response.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", kind, *found))
        else:
            response.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", ". . 1 1 1 1 60"))
            if not any(known == name for known, _ in self.records):
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65535)


@contextlib.asynccontextmanager
async def scripted_dns(
    records: Mapping[tuple[str, str], list[str] | Responder], *, trusted: bool = False, flags: int = 0
) -> AsyncIterator[ScriptedDNS]:
    """A server on UDP and TCP of one port of 127.0.0.1."""
    port = free_port()
    tcp = (await trio.open_tcp_listeners(port, host="127.0.0.1"))[0]
    udp = trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    await udp.bind(("127.0.0.1", port))
    dns_server = ScriptedDNS(records, Server("127.0.0.1", port, trusted), flags)

    async def serve_udp() -> None:
        while True:
            wire, peer = await udp.recvfrom(4096)
            answer = dns_server.respond(wire)
            if answer is not None:
                await udp.sendto(answer if len(answer) <= 1232 else _truncated(wire), peer)

    async def serve_tcp(stream: trio.SocketStream) -> None:
        async with stream:
            data = b""
            async for piece in stream:
                data += piece
                if len(data) > 2 and len(data) >= 2 + int.from_bytes(data[:2], "big"):
                    answer = dns_server.respond(data[2:]) or b""
                    await stream.send_all(len(answer).to_bytes(2, "big") + answer)
                    return

    with udp:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_udp)
            nursery.start_soon(trio.serve_listeners, serve_tcp, [tcp])
            yield dns_server
            nursery.cancel_scope.cancel()


def _truncated(wire: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.flags |= dns.flags.TC
    return response.to_wire()


# --- NSD ---

TOOLS = ("nsd", "ldns-keygen", "ldns-signzone")


def skip_without_dnssec() -> None:
    """Skip the test where a zone cannot be served signed, or not validated."""
    packages = {"nsd" if tool == "nsd" else "ldnsutils" for tool in TOOLS if not shutil.which(tool)}
    try:
        load()
    except UnboundMissing:
        packages.add("libunbound8")
    if packages:
        pytest.skip(f"needs Debian's {', '.join(sorted(packages))}")


@dataclasses.dataclass(frozen=True)
class SignedDNS:
    """NSD serving zones; `anchors` are the DS records of the signed ones."""

    server: Server
    anchors: tuple[str, ...]


@contextlib.contextmanager
def signed_dns(
    folder: Path, signed: Mapping[str, str], plain: Mapping[str, str], lame: Sequence[str] = ()
) -> Iterator[SignedDNS]:
    """Serve zones (origin to records, one a line) on 127.0.0.1. A record whose line ends in `;tamper` is changed after
    it was signed: its last octet of text becomes another one, so that its signature is bogus. Questions for what is
    below the `lame` origins are answered with SERVFAIL."""
    anchors, files = [], {}
    for origin, records in plain.items():
        files[origin] = _write_zone(folder, origin, records)
    for origin, records in signed.items():
        file, anchor = _sign(folder, origin, records)
        files[origin] = file
        anchors.append(anchor)
    files |= dict.fromkeys(lame, folder / "missing.zone")
    port = free_port()
    zones = "".join(f'zone:\n  name: "{origin}"\n  zonefile: "{file}"\n' for origin, file in files.items())
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  username: ""\n  chroot: ""\n  zonesdir: "{folder}"\n'
        f'  database: ""\n  pidfile: "{folder}/nsd.pid"\n'
        f'  zonelistfile: "{folder}/zone.list"\n  xfrdfile: "{folder}/xfrd"\n'
        f'  xfrdir: "{folder}"\n  server-count: 1\n  logfile: "{folder}/nsd.log"\n  rrl-ratelimit: 0\n'
        f"remote-control:\n  control-enable: no\n{zones}"
    )
    process = subprocess.Popen(["nsd", "-d", "-c", str(folder / "nsd.conf")], stderr=subprocess.DEVNULL)
    try:
        _await_answer(process, port, next(iter(files)), folder)
        yield SignedDNS(Server("127.0.0.1", port), tuple(anchors))
    finally:
        process.terminate()
        process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int, origin: str, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            dns.query.udp(dns.message.make_query(origin, "SOA"), "127.0.0.1", port=port, timeout=0.5)
            return
        except (OSError, dns.exception.Timeout):
            time.sleep(0.02)
    log = folder / "nsd.log"
    raise RuntimeError("nsd does not answer: " + (log.read_text() if log.exists() else ""))


def _write_zone(folder: Path, origin: str, records: str) -> Path:
    file = folder / f"{origin}.zone"
    head = f"$ORIGIN {origin}.\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
    file.write_text(head + "\n".join(line.strip() for line in records.splitlines()) + "\n")
    return file


def _sign(folder: Path, origin: str, records: str) -> tuple[Path, str]:
    tampered = [line.partition(";tamper")[0].split() for line in records.splitlines() if ";tamper" in line]
    file = _write_zone(folder, origin, records)
    made = subprocess.run(
        ["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", origin], cwd=folder, check=True, capture_output=True, text=True
    )
    key = made.stdout.strip()
    subprocess.run(["ldns-signzone", "-n", file.name, key], cwd=folder, check=True, capture_output=True)
    signed = file.with_suffix(".zone.signed")
    text = signed.read_text()
    for name, *_, value in tampered:
        text = "\n".join(
            line.replace(value, value[:-1] + ("1" if value[-1] != "1" else "2"))
            if line.startswith(f"{name}.{origin}.") and "RRSIG" not in line
            else line
            for line in text.splitlines()
        )
    signed.write_text(text + "\n")
    return signed, (folder / f"{key}.ds").read_text().strip()
