"""The client's MAIL and RCPT: parameters for servers that offer them, obstacles, and nothing smuggled."""

import pytest

from crockery.smtp.wire import LocalProtocolError
from crockery.smtp.wire.client import Stage
from crockery.smtp.wire.client_commands import DeliverBy, Recipient, Transaction, obstacle
from tests.support.smtp_client import LETTER, ready


def test_parameters_go_to_servers_that_offer_them() -> None:
    client = ready(
        b"250-mx\r\n250-size 1000\r\n250-8bitmime\r\n250-SMTPUTF8\r\n250-REQUIRETLS\r\n250-PIPELINING\r\n250 dsn\r\n"
    )
    letter = Transaction(
        reverse_path="ä@c.test",
        recipients=(Recipient("ö@example.test", notify="NEVER", orcpt="utf-8;x"),),
        size=900,
        eight_bit=True,
        smtputf8=True,
        require_tls=True,
        ret="HDRS",
        envid="QQ",
    )
    client.mail(letter)
    assert client.data_to_send().decode() == (
        "MAIL FROM:<ä@c.test> SIZE=900 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS ENVID=QQ\r\n"
        "RCPT TO:<ö@example.test> NOTIFY=NEVER ORCPT=utf-8;x\r\nDATA\r\n"
    )


def test_parameters_do_not_go_to_others() -> None:
    client = ready()
    client.mail(
        Transaction(
            reverse_path="",
            recipients=(Recipient("b@example.test", notify="NEVER"),),
            size=9,
            eight_bit=True,
            ret="FULL",
        )
    )
    assert client.data_to_send() == b"MAIL FROM:<>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n"


@pytest.mark.parametrize(
    ("needs", "enhanced"),
    [({"smtputf8": True}, "5.6.7"), ({"require_tls": True}, "5.7.30"), ({"size": 11}, "5.3.4"), ({"size": 10}, None)],
)
def test_obstacles(needs: dict[str, int], enhanced: str | None) -> None:
    client = ready(b"250-mx\r\n250 SIZE 10\r\n")
    letter = Transaction(reverse_path="a@c.test", recipients=LETTER.recipients, **needs)  # type: ignore[arg-type]
    found = obstacle(letter, client.capabilities)
    assert (found and found.enhanced) == enhanced
    if found:
        with pytest.raises(LocalProtocolError):
            client.mail(letter)


@pytest.mark.parametrize(
    ("offered", "deadline", "said"),
    [
        (b"DELIVERBY", DeliverBy(90, False), b" BY=90;N"),
        (b"DELIVERBY 60", DeliverBy(90, True, True), b" BY=90;RT"),
        (b"DELIVERBY 60", DeliverBy(30, False), b" BY=30;N"),
        (b"deliverby", DeliverBy(-30, False, True), b" BY=-30;NT"),
        (b"DELIVERBY", DeliverBy(1 << 40, False), b" BY=999999999;N"),
        (b"DELIVERBY x", DeliverBy(1, True), b" BY=1;R"),
        (b"HELP", DeliverBy(90, False, True), b""),
        (b"HELP", DeliverBy(90, True), "5.3.3"),
        (b"DELIVERBY 60", DeliverBy(30, True), "5.4.7"),
        (b"DELIVERBY", DeliverBy(0, True), "5.4.7"),
    ],
)
def test_a_deadline_is_passed_on_with_the_time_left(offered: bytes, deadline: DeliverBy, said: bytes | str) -> None:
    client = ready(b"250-mx\r\n250 %s\r\n" % offered)
    letter = Transaction(reverse_path="a@c.test", recipients=LETTER.recipients, deliver_by=deadline)
    found = obstacle(letter, client.capabilities)
    if isinstance(said, str):
        assert found is not None and found.enhanced == said
        return
    assert found is None
    client.mail(letter)
    assert client.data_to_send().startswith(b"MAIL FROM:<a@c.test>%s\r\n" % said)


@pytest.mark.parametrize("address", ["a\r\nRSET@c.test", "a\n@c.test", "a\0@c.test", "ä@c.test", "\ud800@c.test"])
def test_no_address_smuggles(address: str) -> None:
    for letter in (
        Transaction(reverse_path=address, recipients=LETTER.recipients),
        Transaction(reverse_path="", recipients=(Recipient(address),)),
    ):
        client = ready()
        with pytest.raises(LocalProtocolError):
            client.mail(letter)
        assert client.data_to_send() == b""
        assert client.stage is Stage.READY


@pytest.mark.parametrize(
    ("offered", "deadline", "wanted", "said"),
    [
        (b"DSN", DeliverBy(90, False), "", b" NOTIFY=FAILURE,DELAY"),
        (b"DSN", DeliverBy(90, False), "SUCCESS", b" NOTIFY=SUCCESS,DELAY"),
        (b"DSN", DeliverBy(90, False), "DELAY,FAILURE", b" NOTIFY=DELAY,FAILURE"),
        (b"DSN", DeliverBy(90, False), "NEVER", b" NOTIFY=NEVER"),
        (b"DSN", DeliverBy(-1, False), "", b""),
        (b"DSN\r\n250-DELIVERBY", DeliverBy(90, False), "", b""),
        (b"DSN\r\n250-DELIVERBY", DeliverBy(90, True), "", b""),
        (b"HELP", DeliverBy(90, False), "", b""),
    ],
)
def test_where_nobody_watches_the_deadline_delays_are_told(
    offered: bytes, deadline: DeliverBy, wanted: str, said: bytes
) -> None:
    """RFC 2852 §4.1.4.2."""
    client = ready(b"250-mx\r\n250-%b\r\n250 PIPELINING\r\n" % offered)
    client.mail(Transaction(reverse_path="a@c.test", recipients=(Recipient("b@d.test", wanted),), deliver_by=deadline))
    assert b"RCPT TO:<b@d.test>%b\r\n" % said in client.data_to_send()


@pytest.mark.parametrize(("offered", "said"), [(b"REQUIRETLS", b" REQUIRETLS"), (b"HELP", b"")])
def test_a_bounce_asks_for_tls_where_that_can_be_had(offered: bytes, said: bytes) -> None:
    """RFC 8689 §5."""
    client = ready(b"250-mx\r\n250 %b\r\n" % offered)
    bounce = Transaction(reverse_path="", recipients=LETTER.recipients, require_tls=True)
    assert obstacle(bounce, client.capabilities) is None
    client.mail(bounce)
    assert client.data_to_send().startswith(b"MAIL FROM:<>%b\r\n" % said)
