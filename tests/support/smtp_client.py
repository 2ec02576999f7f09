"""The SMTP client as tests bring it to where they begin, and what it then says and tells."""

from crockery.smtp.wire import Offer, Reply, ServerProtocol, replies
from crockery.smtp.wire.client import ClientProtocol
from crockery.smtp.wire.client_commands import Recipient, Transaction
from crockery.smtp.wire.client_events import EnvelopeAnswered, Event, HelloAnswered
from tests.support.smtp_wire import MX, Session

PIPELINING = b"250-mx.test hi\r\n250 PIPELINING\r\n"
CHUNKING = b"250-mx.test hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
LETTER = Transaction(reverse_path="a@c.test", recipients=(Recipient("b@example.test"),))
THREE = Transaction(reverse_path="", recipients=tuple(Recipient(f"{name}@example.test") for name in "xyz"))


def events(client: ClientProtocol, data: bytes = b"") -> list[Event]:
    """Give `data` if any, and take all that comes of it."""
    if data:
        client.receive_data(data)
    found = []
    while (event := client.next_event()) is not None:
        found.append(event)
    return found


def ready(hello: bytes = PIPELINING, window: int = 100) -> ClientProtocol:
    """A client after the server's answer to EHLO."""
    client = ClientProtocol("us.test", window=window)
    events(client, b"220 mx.test ESMTP\r\n")
    client.hello()
    assert client.data_to_send() == b"EHLO us.test\r\n"
    assert isinstance(events(client, hello)[0], HelloAnswered)
    return client


def in_content(hello: bytes = PIPELINING) -> ClientProtocol:
    """A client that is about to send a letter's content."""
    client = ready(hello)
    client.mail(LETTER)
    client.data_to_send()
    (event,) = events(client, b"250 a\r\n250 b\r\n" + (b"" if b"CHUNKING" in hello else b"354 go\r\n"))
    assert event == EnvelopeAnswered((Reply(250, "", "b"),), (0,))
    return client


def pump(client: ClientProtocol, server: Session) -> list[Event]:
    """Carry octets to and fro until both are silent."""
    found: list[Event] = []
    while True:
        found += events(client)
        out = client.data_to_send()
        if not out:
            return found
        before = len(server.sent)
        server.feed(out)
        client.receive_data(server.sent[before:])


def connect(offer: Offer = MX) -> tuple[ClientProtocol, Session]:
    """A client and our own server, after EHLO."""
    client, server = ClientProtocol("us.test"), Session(ServerProtocol(offer))
    events(client, server.protocol.send(replies.greeting("mx.example.test")))
    client.hello()
    (hello,) = pump(client, server)
    assert isinstance(hello, HelloAnswered)
    return client, server


def codes(event: Event) -> tuple[list[int], tuple[int, ...]]:
    """The reply code of each recipient, and which were accepted."""
    assert isinstance(event, EnvelopeAnswered)
    return [reply.code for reply in event.replies], event.accepted
