"""The resources `queue` and `whitelist/tls`: stories told, and what can be done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crockery.actions.actor import Actor, the_server
from crockery.actions.errors import Refused
from crockery.actions.queue import Outcome, Terms, begin_attempt, record_outcomes
from crockery.actions.smart_host import set_smart_host
from crockery.events.errors import BodyUnreadable
from crockery.events.log import Log
from crockery.projections.queue import Leave, Place
from crockery.web.control.errors import ControlError
from crockery.web.control.request import Context, Json, Request
from crockery.web.control.routes import find_route, perform
from tests.support.queue import enqueue, queued
from tests.support.store import TestStore

TLS = {"version": "TLSv1.3", "cipher": "x", "fingerprint": "0", "spki": "1", "names": [], "verified": "certificate"}
PLACE = Place("mx.x.test", "192.0.2.9", TLS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TestStore]:
    store = TestStore(tmp_path / "log.crk")
    yield store
    store.log.file.close()


def ask(store: TestStore, method: str, path: str, query: dict[str, str] | None = None, **body: object) -> Json:
    match = find_route(method, path)
    request = Request(method, path, Actor(0, "control", "root"), query or {}, body)
    return perform(Context(store.store, store.path), match, request)


def test_a_whole_story(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test", "b@x.test", "c@y.test")
    message = queued(store.store, number)
    attempt = begin_attempt(store.store, message, ["a@x.test", "b@x.test"], PLACE)
    outcomes = [
        Outcome(["a@x.test"], "relayed", 250, "2.0.0", "ok"),
        Outcome(["b@x.test"], "deferred", 451, "4.7.1", "greylisted", next=store.store.now + 60),
    ]
    record_outcomes(store.store, message, outcomes, attempt=attempt)
    found = ask(store, "GET", f"/v1/queue/{number}")
    assert found["states"] == {"a@x.test": "relayed", "b@x.test": "due", "c@y.test": "due"}
    assert found["recipients"] == ["b@x.test", "c@y.test"]
    relayed, deferred, untried = (" ".join(story["story"]) for story in found["stories"])
    assert "mx.x.test (192.0.2.9), TLSv1.3, its certificate is valid for its name: 250 2.0.0 ok" in relayed
    assert "451 4.7.1 greylisted; it is to be tried again" in deferred and "next attempt" in deferred
    assert "given up in 6 days" in untried or "given up in 7 days" in untried
    assert ask(store, "GET", "/v1/queue")["items"][0]["states"]["b@x.test"] == "due"


def test_retry_and_send_insecure(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test", "b@x.test")
    message = queued(store.store, number)
    problem = {"kind": "no-tls", "host": "mx.x.test", "reason": "no TLS"}
    later = store.store.now + 1000
    record_outcomes(store.store, message, [Outcome(["a@x.test", "b@x.test"], "held", next=later, problem=problem)])
    done = ask(store, "POST", f"/v1/queue/{number}/retry", {"recipient": "a@x.test"})
    assert done == {"number": number, "recipients": ["a@x.test"]}
    assert [r.next < later for r in message.recipients] == [True, False]
    ask(store, "POST", f"/v1/queue/{number}/send-insecure")
    assert all(r.insecure is Leave.UNVERIFIED for r in message.recipients)
    assert ask(store, "DELETE", f"/v1/queue/{number}")["recipients"] == []
    assert ask(store, "GET", f"/v1/queue/{number}")["states"] == {"a@x.test": "cancelled", "b@x.test": "cancelled"}


def test_grants(store: TestStore) -> None:
    assert ask(store, "PUT", "/v1/whitelist/tls/X.test")["domain"] == "x.test"
    (item,) = ask(store, "GET", "/v1/whitelist/tls")["items"]
    assert (item["host"], item["key"]) == (None, None)
    assert store.store.state.trust.allows_plain("x.test")
    assert len(ask(store, "DELETE", "/v1/whitelist/tls/x.test")["items"]) == 1
    assert not store.store.state.trust.grants
    with pytest.raises(ControlError):
        find_route("PATCH", "/v1/whitelist/tls/x.test")


def test_the_list_is_given_in_parts_with_what_is_next(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crockery.web.control.queue.CONTROL_QUEUE_LISTED", 2)
    numbers = [enqueue(store.store, f"{name}@x.test") for name in "abc"]
    outcome = Outcome(["a@x.test"], "deferred", 451, "4.7.1", "greylisted", next=store.store.now + 60)
    record_outcomes(store.store, queued(store.store, numbers[0]), [outcome], place=PLACE)
    found = ask(store, "GET", "/v1/queue")
    assert [item["number"] for item in found["items"]] == numbers[:2] and found["total"] == 3
    assert found["items"][0]["last"] == "451 4.7.1 greylisted" and found["items"][1]["last"] is None
    found = ask(store, "GET", "/v1/queue", {"after": str(numbers[1])})
    assert [item["number"] for item in found["items"]] == numbers[2:]
    assert [reason["why"] for reason in found["stopped"]] == ["no-server"]


def test_what_has_left_is_listed_and_told_but_not_to_be_changed(store: TestStore) -> None:
    number = enqueue(store.store, "a@x.test")
    record_outcomes(store.store, queued(store.store, number), [Outcome(["a@x.test"], "relayed", 250)], place=PLACE)
    assert ask(store, "GET", "/v1/queue")["items"] == []
    (item,) = ask(store, "GET", "/v1/queue", {"finished": "1"})["items"]
    assert item["states"] == {"a@x.test": "relayed"} and item["next"] is None
    for method, path in (("DELETE", ""), ("POST", "/retry"), ("POST", "/send-insecure")):
        with pytest.raises(Refused, match="has left the queue: `crockery queue show"):
            ask(store, method, f"/v1/queue/{number}{path}")
        with pytest.raises(Refused, match="there is no message 999 in the queue"):
            ask(store, method, f"/v1/queue/999{path}")


def test_why_nothing_moves(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(store, "GET", "/v1/queue")["stopped"] == []
    number = enqueue(store.store, "a@x.test")
    set_smart_host(store.store, the_server(), "smtp.relay.test", 465, "implicit", "anna", "secret")
    refused = Outcome(["a@x.test"], "deferred", 535, "4.7.8", "wrong password", "login", next=store.store.now + 60)
    record_outcomes(store.store, queued(store.store, number), [refused])
    monkeypatch.setattr(type(store.log), "has_room", lambda self, octets: False)
    reasons = {reason["why"]: reason["text"] for reason in ask(store, "GET", "/v1/queue")["stopped"]}
    assert set(reasons) == {"smart-host", "disk-full", "no-server"}
    assert "smtp.relay.test:465 takes no mail: 535 4.7.8 wrong password" in reasons["smart-host"]
    story = ask(store, "GET", f"/v1/queue/{number}")["stories"][0]["story"]
    assert "by the smart host smtp.relay.test:465" in story[-1]


def test_a_held_submission_and_a_deadline_are_told(store: TestStore) -> None:
    now = store.store.now
    number = enqueue(store.store, "a@x.test", terms=Terms(hold_until=now + 600, deliver_by=now + 900))
    story = ask(store, "GET", f"/v1/queue/{number}")["stories"][0]["story"]
    assert "nobody gets it before, and till then it can be taken back" in story[0]
    assert story[1].startswith("its sender is told if it is not there by ")


def test_a_message_whose_text_is_gone_is_told_all_the_same(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    number = enqueue(store.store, "a@x.test")

    def gone(self: Log, message: int, *where: int) -> bytes:
        raise BodyUnreadable(message, "erased")

    monkeypatch.setattr(Log, "read_range", gone)
    monkeypatch.setattr(Log, "read_facts", gone)
    found = ask(store, "GET", f"/v1/queue/{number}")
    assert found["header"] == ["(its text is not kept any more, or is damaged)"] and found["message_id"] is None
    assert ask(store, "GET", "/v1/queue")["total"] == 1
