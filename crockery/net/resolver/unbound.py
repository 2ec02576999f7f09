"""libunbound, a validating resolver in our own process, by ctypes and Trio. Debian: libunbound8.

RFC 4035 (validation), RFC 5155 (proofs of absence). The library asks the given servers, or the root servers and on,
in a thread of its own, checks every signature up from the trust anchors, and makes a file descriptor readable when
something is done; callbacks run within `ub_process`, in Trio's thread. Invariant: memory of the library is freed
exactly once, and a question that was given up is cancelled before its number is forgotten.
"""

import ctypes
import ctypes.util
import logging
from collections.abc import Sequence
from typing import Any, Final

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import trio

from crockery.net.resolver.answers import Answer, Status, failed
from crockery.net.resolver.forwarder import Raw
from crockery.net.resolver.servers import Server

logger: Final = logging.getLogger(__name__)

LIBRARY: Final = "libunbound.so.8"
# The keys of the root zone, as IANA publishes them: of 2017, and of 2024, in use since October 2026
ROOT_ANCHORS: Final = (
    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)
_OPTIONS: Final = (
    ("module-config:", "validator iterator"),
    ("do-not-query-localhost:", "no"),  # a resolver on this machine is as good as another
    ("edns-buffer-size:", "1232"),
    ("msg-cache-size:", "2m"),
    ("rrset-cache-size:", "4m"),
    ("key-cache-size:", "1m"),
)


class _Result(ctypes.Structure):
    """struct ub_result of unbound.h."""

    _fields_ = (
        ("qname", ctypes.c_char_p),
        ("qtype", ctypes.c_int),
        ("qclass", ctypes.c_int),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("len", ctypes.POINTER(ctypes.c_int)),
        ("canonname", ctypes.c_char_p),
        ("rcode", ctypes.c_int),
        ("answer_packet", ctypes.c_void_p),
        ("answer_len", ctypes.c_int),
        ("havedata", ctypes.c_int),
        ("nxdomain", ctypes.c_int),
        ("secure", ctypes.c_int),
        ("bogus", ctypes.c_int),
        ("why_bogus", ctypes.c_char_p),
        ("was_ratelimited", ctypes.c_int),
        ("ttl", ctypes.c_int),
    )


_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Result))
_CONTEXT: Final = ctypes.c_void_p
_TEXT: Final = ctypes.c_char_p
_SIGNATURES: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "ub_ctx_create": (_CONTEXT, ()),
    "ub_ctx_delete": (None, (_CONTEXT,)),
    "ub_ctx_set_option": (ctypes.c_int, (_CONTEXT, _TEXT, _TEXT)),
    "ub_ctx_set_fwd": (ctypes.c_int, (_CONTEXT, _TEXT)),
    "ub_ctx_add_ta": (ctypes.c_int, (_CONTEXT, _TEXT)),
    "ub_ctx_zone_remove": (ctypes.c_int, (_CONTEXT, _TEXT)),
    "ub_ctx_debugout": (ctypes.c_int, (_CONTEXT, ctypes.c_void_p)),
    "ub_ctx_async": (ctypes.c_int, (_CONTEXT, ctypes.c_int)),
    "ub_fd": (ctypes.c_int, (_CONTEXT,)),
    "ub_process": (ctypes.c_int, (_CONTEXT,)),
    "ub_resolve_async": (
        ctypes.c_int,
        (_CONTEXT, _TEXT, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, _Callback, ctypes.POINTER(ctypes.c_int)),
    ),
    "ub_cancel": (ctypes.c_int, (_CONTEXT, ctypes.c_int)),
    "ub_resolve_free": (None, (ctypes.POINTER(_Result),)),
    "ub_strerror": (ctypes.c_char_p, (ctypes.c_int,)),
}


class UnboundMissing(Exception):
    """There is no libunbound on this machine, or not one that we can use."""


def load() -> ctypes.CDLL:
    """The library with its signatures. Raises UnboundMissing."""
    try:
        library = ctypes.CDLL(LIBRARY)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise UnboundMissing(str(error)) from error
    return library


class _Question:
    __slots__ = ("answer", "done")

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answer: Raw = failed("not answered")


class Unbound:
    """A context of the library. `run` must be running while `ask` is used; `close` after both have ended."""

    def __init__(self, servers: Sequence[Server] = (), anchors: Sequence[str] = ROOT_ANCHORS) -> None:
        """`servers` are recursive servers to ask; none: the library asks the world itself. `anchors`: DS or DNSKEY
        records as text. Raises UnboundMissing."""
        self._library = load()
        self._context = self._library.ub_ctx_create()
        if not self._context:
            raise UnboundMissing("libunbound could not be started")
        self._questions: dict[int, _Question] = {}
        self._number = 0
        self._callback = _Callback(self._answered)
        library, context = self._library, self._context
        library.ub_ctx_debugout(context, None)
        for option, value in _OPTIONS:
            self._check(library.ub_ctx_set_option(context, option.encode(), value.encode()), option)
        for server in servers:
            self._check(library.ub_ctx_set_fwd(context, f"{server.address}@{server.port}".encode()), server.address)
        for anchor in anchors:
            self._check(library.ub_ctx_add_ta(context, anchor.encode()), anchor)
        self._check(library.ub_ctx_async(context, 1), "threads")  # 1: a thread, 0: a process
        # RFC 6761 has the library deny .test itself; with servers of one's own it may well exist.
        self._check(library.ub_ctx_zone_remove(context, b"test."), "test.")

    def _check(self, error: int, what: str) -> None:
        if error:
            message = self._library.ub_strerror(error).decode()
            self.close()
            raise UnboundMissing(f"{what}: {message}")

    def close(self) -> None:
        """Stop the library's thread and free everything."""
        context, self._context = self._context, None
        if context:
            self._library.ub_ctx_delete(context)

    async def run(self) -> None:
        """Deliver answers for ever."""
        descriptor = self._library.ub_fd(self._context)
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            self._library.ub_process(self._context)

    async def ask(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Raw:
        """The answer, aliases followed and validated. Raises nothing; the caller has a deadline."""
        self._number += 1
        number, question, token = self._number, _Question(), ctypes.c_int()
        self._questions[number] = question
        error = self._library.ub_resolve_async(
            self._context, name.to_text().encode(), int(rdtype), 1, number, self._callback, ctypes.byref(token)
        )
        if error:
            del self._questions[number]
            return failed(self._library.ub_strerror(error).decode())
        try:
            await question.done.wait()
        finally:
            if self._questions.pop(number, None) is not None:
                self._library.ub_cancel(self._context, token)
        return question.answer

    def _answered(self, number: int | None, error: int, result: Any) -> None:
        """Called by the library. Must not raise: ctypes would only print it."""
        question = self._questions.pop(number or 0, None)
        try:
            if question is not None:
                question.answer = failed(self._library.ub_strerror(error).decode()) if error else _read(result.contents)
        except Exception:
            logger.exception("an answer of libunbound could not be read")
        finally:
            if not error:
                self._library.ub_resolve_free(result)
            if question is not None:
                question.done.set()


def _read(result: _Result) -> Raw:
    secure, ttl = bool(result.secure), max(0, result.ttl)
    asked = (result.canonname or result.qname or b"").decode("ascii", "replace")
    canonical = asked.removesuffix(".").lower()
    if result.bogus:
        return Answer(Status.BOGUS, why=(result.why_bogus or b"").decode("utf-8", "replace"))
    if result.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return failed(dns.rcode.to_text(dns.rcode.Rcode(result.rcode)))
    if not result.havedata:
        status = Status.NXDOMAIN if result.nxdomain else Status.NODATA
        return Answer(status, (), ttl, secure, canonical)
    records = []
    index = 0
    while result.data[index]:
        wire = ctypes.string_at(result.data[index], result.len[index])
        try:
            records.append(dns.rdata.from_wire(dns.rdataclass.IN, result.qtype, wire, 0, len(wire)))
        except dns.exception.DNSException as error:
            return failed(f"a malformed record: {error}")
        index += 1
    return Answer(Status.FOUND, tuple(records), ttl, secure, canonical)
