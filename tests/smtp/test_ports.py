"""The whole server with real logins and Python's SMTP client: port 25, 587 with STARTTLS, 465; read back by number."""

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.support.server import RunningServer, client_context, running_server
from tests.support.waiting import PATIENCE

MESSAGE = b"From: anna@example.test\r\nSubject: x\r\n\r\n.Hello\r\n"
Send = Callable[[RunningServer], None]


def over_mx(server: RunningServer) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        client.sendmail("c@client.test", ["Ben+x@example.test", "postmaster"], MESSAGE)


def over_mx_with_tls(server: RunningServer) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        client.starttls(context=client_context())
        client.sendmail("c@client.test", ["ben@example.test"], MESSAGE)


def over_submission(server: RunningServer) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=PATIENCE) as client:
        client.starttls(context=client_context())
        client.login("anna@example.test", "secret")
        client.sendmail("anna@example.test", ["ben@example.test"], MESSAGE)


def over_submissions(server: RunningServer) -> None:
    port = server.ports["submissions"]
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=PATIENCE, context=client_context()) as client:
        client.login("anna", "secret")
        client.sendmail("anna@example.test", ["ben@example.test"], MESSAGE)


@pytest.mark.parametrize("send", [over_mx, over_mx_with_tls, over_submission, over_submissions])
async def test_mail_arrives(tmp_path: Path, send: Send) -> None:
    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as server:
            await trio.to_thread.run_sync(send, server)
            store = server.services.store
            ben = store.state.accounts.find("ben")
            assert ben is not None
            inbox = store.state.mailboxes.find(ben.id, "INBOX")
            assert inbox is not None
            stored = b"".join(store.log.read_message(int(inbox.columns.number[0])))
            assert stored.endswith(b"Subject: x\r\n\r\n.Hello\r\n")
            assert (b"ESMTPSA" in stored) == (send in (over_submission, over_submissions))


async def test_wrong_password(tmp_path: Path) -> None:
    def send(server: RunningServer) -> None:
        port = server.ports["submissions"]
        with smtplib.SMTP_SSL("127.0.0.1", port, timeout=PATIENCE, context=client_context()) as client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("anna", "wrong")
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail("anna@example.test", ["ben@example.test"], MESSAGE)

    with trio.fail_after(PATIENCE):
        async with running_server(tmp_path) as server:
            await trio.to_thread.run_sync(send, server)
