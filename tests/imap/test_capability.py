"""CAPABILITY is the whole list wherever it is told: greeting, command, login; before and after login, TLS, ENABLE."""

import pytest

from crockery.actions.accounts import add_app_password
from crockery.actions.actor import the_server
from crockery.actions.settings import change_setting
from crockery.imap.capability import capabilities
from crockery.net.passwords import app_password_secret
from tests.support.dialog import connect, say
from tests.support.server import RunningServer

ALWAYS = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE"
INSIDE = f"""{ALWAYS}
    APPENDLIMIT=52428800 BINARY CATENATE CHILDREN COMPRESS=DEFLATE CONDSTORE CONTEXT=SEARCH CONTEXT=SORT
    CREATE-SPECIAL-USE ESEARCH ESORT FILTERS I18NLEVEL=1 IDLE INPROGRESS LIST-EXTENDED LIST-METADATA LIST-STATUS
    METADATA MOVE MULTIAPPEND MULTISEARCH NAMESPACE NOTIFY OBJECTID PARTIAL PREVIEW QRESYNC QUOTA QUOTA=RES-MESSAGE
    QUOTA=RES-STORAGE QUOTASET REPLACE SAVEDATE SEARCHRES SORT SORT=DISPLAY SPECIAL-USE STATUS=SIZE
    THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS UIDBATCHES UIDONLY UIDPLUS UNAUTHENTICATE UNSELECT UTF8=ACCEPT
    WITHIN"""


def names(text: str) -> list[str]:
    """The names of a list, or of a response or code that has one, in alphabetical order."""
    return sorted(text.partition("CAPABILITY ")[2].partition("]")[0].split() if "CAPABILITY " in text else text.split())


@pytest.mark.parametrize("login", ["LOGIN anna secret", "AUTHENTICATE PLAIN AGFubmEAc2VjcmV0"])
@pytest.mark.parametrize("tls", [False, True], ids=["loopback", "tls"])
async def test_the_whole_list_everywhere(server: RunningServer, tls: bool, login: str) -> None:
    client = await connect(server, tls=tls)
    outside = names(f"{ALWAYS} AUTH=PLAIN AUTH=LOGIN" + ("" if tls else " STARTTLS"))
    assert names(await client.line()) == outside
    assert names((await say(client, "CAPABILITY"))[0]) == outside
    assert names((await say(client, login))[-1]) == names(INSIDE)
    assert names((await say(client, "CAPABILITY"))[0]) == names(INSIDE)
    enabled, done = await say(client, "ENABLE IMAP4rev2 UTF8=ACCEPT QRESYNC METADATA UIDONLY X-MOON condstore")
    assert names(enabled.removeprefix("* ENABLED ")) == names(
        "IMAP4rev2 UTF8=ACCEPT QRESYNC METADATA UIDONLY CONDSTORE"
    )
    assert done == "x OK ENABLE completed"
    assert names((await say(client, "CAPABILITY"))[0]) == names(INSIDE)
    assert (await say(client, "UNAUTHENTICATE"))[-1].startswith("x OK")
    assert names((await say(client, "CAPABILITY"))[0]) == outside
    await client.close()


async def test_nothing_twice_and_one_kind_of_literal_only(server: RunningServer) -> None:
    """RFC 7888 §4 and §5: LITERAL+ and LITERAL- are never told together."""
    for secure in (False, True):
        for inside in (False, True):
            offered = capabilities(logged_in=inside, tls=secure, secure=secure, scram=True)
            assert len(set(offered)) == len(offered)
            assert "LITERAL+" in offered
            assert "LITERAL-" not in offered
    assert "LOGINDISABLED" in capabilities(logged_in=False, tls=False, secure=False, scram=True)


async def test_what_depends_on_settings_and_accounts(server: RunningServer) -> None:
    change_setting(server.store, the_server(), "imap-unauthenticate", "off")
    change_setting(server.store, the_server(), "max-message-size", "1M")
    add_app_password(server.store, the_server(), "anna", "phone", app_password_secret("word"))
    client = await connect(server)
    assert "AUTH=SCRAM-SHA-256" in names(await client.line())
    inside = names((await say(client, "LOGIN anna secret"))[-1])
    assert "APPENDLIMIT=1048576" in inside
    assert "UNAUTHENTICATE" not in inside
    assert (await say(client, "UNAUTHENTICATE")) == ["x BAD UNAUTHENTICATE is switched off"]
    await client.close()


@pytest.mark.parametrize("order", ["before", "after"])
async def test_what_the_program_calls_itself_is_in_the_log(server: RunningServer, order: str) -> None:
    client = await connect(server)
    await client.line()
    identify = 'ID ("name" "Mail\\"er" "version" "1.2" "os" "moon" "vendor" NIL)'
    commands = [identify, "LOGIN anna secret"]
    for command in commands if order == "before" else reversed(commands):
        assert (await say(client, command))[-1].startswith("x OK")
    assert (await say(client, "CREATE Box"))[-1].startswith("x OK")
    await client.close()
    sessions = server.store.state.sessions.by_id
    assert [facts.get("client") for facts in sessions.values() if facts["protocol"] == "imap"] == ['Mail"er 1.2']
