"""Crockery's letters: as people read them (tests/data/letters), as mails, and how they fare when they are answered.

After a change of wording: CROCKERY_WRITE_LETTERS=1 pytest tests/assistant/test_letters.py, and read the difference.
"""

import os
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from crockery.assistant import confirmations
from crockery.assistant.answers import is_offered, read_answer, read_lines
from crockery.assistant.facts import (
    Addressing,
    BadCertificate,
    BrokenPolicy,
    CertificateFault,
    ChangedKey,
    Held,
    NoTLS,
    Original,
    Policy,
    PolicyFault,
    Trouble,
)
from crockery.assistant.html_text import html_to_text
from crockery.assistant.letter import Letter, render_html, render_text
from crockery.assistant.may_answer import NoAnswer, why_no_answer
from crockery.assistant.post import compose_letter
from crockery.assistant.questions import KINDS, ask, ask_again, offered, remind, why_given_up
from crockery.assistant.restored_letter import restored_letter
from crockery.assistant.verbs import Verb
from crockery.message.compose import Mailbox
from crockery.message.edit import find_bare_newline

DATA = Path(__file__).parent.parent / "data" / "letters"
SENT = 1_795_363_864  # Sunday, 22 November 2026 at 17:11:04 +0100
DAY = 86_400
GIVE_UP = SENT + 7 * DAY
ORIGINAL = Original("Minutes of Monday's meeting", SENT, "<17@example.test>", ("<3@shady.test>",), 60)
FORWARDED = replace(ORIGINAL, author="carol@far.test")
OTHER_NAME = BadCertificate(
    (CertificateFault.OTHER_NAME,), ("www.hoster.test", "hoster.test"), fingerprint="9f86d081" * 8
)


def held(trouble: Trouble, domain: str = "shady.test", *more: str) -> Held:
    return Held(domain, f"mx.{domain}", (f"bob@{domain}", *more), trouble)


def certificate(*faults: CertificateFault) -> Held:
    return held(
        BadCertificate(faults, ("www.hoster.test",), "Hoster's own CA", SENT + 2 * DAY, SENT - 30 * DAY, "9f86d081" * 8)
    )


QUESTIONS: dict[str, list[Held]] = {
    "no-tls": [held(NoTLS())],
    "no-tls-any-more": [held(NoTLS(SENT - 40 * DAY))],
    "certificate-other-name": [held(OTHER_NAME)],
    "certificate-expired": [certificate(CertificateFault.EXPIRED)],
    "certificate-not-yet-valid": [certificate(CertificateFault.NOT_YET_VALID)],
    "certificate-self-signed": [certificate(CertificateFault.SELF_SIGNED)],
    "certificate-unknown-issuer": [certificate(CertificateFault.UNKNOWN_ISSUER)],
    "certificate-unusable": [certificate(CertificateFault.UNUSABLE)],
    "certificate-all-wrong": [certificate(*CertificateFault)],
    "policy-dane": [held(BrokenPolicy(Policy.DANE, PolicyFault.CERTIFICATE))],
    "policy-dane-no-tls": [held(BrokenPolicy(Policy.DANE, PolicyFault.NO_TLS))],
    "policy-mta-sts": [held(BrokenPolicy(Policy.MTA_STS, PolicyFault.OTHER_HOST))],
    "changed-key": [held(ChangedKey(OTHER_NAME, SENT - 40 * DAY, "ab12" * 16))],
    "two-domains": [
        held(OTHER_NAME, "shady.test", "carol@shady.test"),
        held(BrokenPolicy(Policy.DANE, PolicyFault.NO_TLS), "bank.test"),
    ],
    "international": [held(NoTLS(), "xn--mller-kva.test")],
}
SHADY = QUESTIONS["certificate-other-name"]
LETTERS: dict[str, Letter] = {
    **{f"ask-{name}": ask(ORIGINAL, waiting, GIVE_UP) for name, waiting in QUESTIONS.items()},
    "ask-without-subject": ask(Original(" ", None, ""), SHADY, GIVE_UP),
    "ask-forward": ask(FORWARDED, SHADY, GIVE_UP),
    "remind-forward": remind(FORWARDED, SHADY, GIVE_UP, 3),
    "confirm-send-forward": confirmations.confirm_send(FORWARDED, SHADY, can_undo=True),
    "remind": remind(ORIGINAL, SHADY, GIVE_UP, 3),
    "ask-again": ask_again(ORIGINAL, SHADY, GIVE_UP, "send me the bill"),
    "ask-again-nothing": ask_again(ORIGINAL, SHADY, GIVE_UP, ""),
    "confirm-cancel": confirmations.confirm_cancel(ORIGINAL, SHADY, can_undo=True),
    "confirm-retry": confirmations.confirm_retry(ORIGINAL, SHADY, GIVE_UP),
    "confirm-send": confirmations.confirm_send(ORIGINAL, SHADY, can_undo=True),
    "confirm-send-for-good": confirmations.confirm_send(ORIGINAL, SHADY, can_undo=False),
    "confirm-trust": confirmations.confirm_trust(ORIGINAL, SHADY[0], can_undo=True),
    "confirm-trust-plain": confirmations.confirm_trust(ORIGINAL, QUESTIONS["no-tls"][0], can_undo=True),
    "undone-cancel": confirmations.confirm_undo(ORIGINAL, Verb.CANCEL),
    "undone-trust": confirmations.confirm_undo(ORIGINAL, Verb.TRUST, "shady.test", is_held=False),
    "undone-send-too-late": confirmations.confirm_undo(ORIGINAL, Verb.SEND, is_held=False),
    "overtaken": confirmations.overtaken(ORIGINAL),
    "not-now": confirmations.stand_still(ORIGINAL),
    "restored": restored_letter(3),
    "declined": confirmations.decline(ORIGINAL, confirmations.ALREADY_SENT),
}
SIGNATURE = "Crockery, the mail server of example.test"
ADDRESSING = Addressing(Mailbox("anna@example.test", "Anna"), "example.test", SENT + 60, "<q1@example.test>", "a" * 26)


@pytest.mark.parametrize("name", LETTERS)
def test_as_people_read_them(name: str) -> None:
    letter = LETTERS[name]
    text = f"Subject: {letter.subject}\n\n{render_text(letter, SIGNATURE)}"
    path = DATA / f"{name}.txt"
    if os.environ.get("CROCKERY_WRITE_LETTERS"):
        DATA.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text


def test_every_sample_is_a_letter() -> None:
    assert {path.stem for path in DATA.glob("*.txt")} == set(LETTERS)


@pytest.mark.parametrize("name", LETTERS)
def test_text_can_be_quoted_unbroken(name: str) -> None:
    text = render_text(LETTERS[name], SIGNATURE)
    assert max(map(len, text.split("\n"))) <= 70
    assert read_lines(text.split("\n")).verb is None  # the letter itself is no answer


@pytest.mark.parametrize("name", LETTERS)
def test_html_says_the_same(name: str) -> None:
    letter = LETTERS[name]
    html = render_html(letter, SIGNATURE, "crockery+x@example.test")
    assert html_to_text(html).split() == render_text(letter, SIGNATURE).split()
    assert "<script" not in html and "http" not in html


def test_nothing_in_a_subject_is_html() -> None:
    evil = Original('<img src="x">&', SENT, "<1@x>")
    html = render_html(ask(evil, [held(OTHER_NAME, '"><b>.test')], GIVE_UP), SIGNATURE, 'a"<b>@x')
    assert "<img" not in html and "<b>.test" not in html and 'a"' not in html


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    content: str = body.get_content()
    return content


def test_mail() -> None:
    data = compose_letter(LETTERS["ask-certificate-other-name"], ADDRESSING, ORIGINAL, is_reply=False)
    message = message_from_bytes(data, policy=default)
    assert message["from"] == "Crockery <crockery@example.test>"
    assert message["to"] == "Anna <anna@example.test>"
    assert message["reply-to"] == f"Crockery <crockery+{'a' * 26}@example.test>"
    assert message["in-reply-to"] == "<17@example.test>"
    assert message["references"] == "<3@shady.test> <17@example.test>"
    assert message["auto-submitted"] == "auto-generated"
    assert message["date"] == "Sun, 22 Nov 2026 17:12:04 +0100"
    assert message.get_content_type() == "multipart/alternative"
    assert find_bare_newline(data) is None
    assert f"mailto:crockery+{'a' * 26}@example.test?subject=Re%3A%20Not%20sent" in html_of(message)
    assert why_no_answer(data, "crockery@example.test") == NoAnswer.AUTOMATIC  # two servers never talk for ever


def test_mail_without_token_or_original() -> None:
    plain = Addressing(Mailbox("anna@example.test"), "example.test", SENT, "<q2@example.test>")
    message = message_from_bytes(compose_letter(LETTERS["declined"], plain, None, is_reply=True), policy=default)
    assert message["reply-to"] is None and message["in-reply-to"] is None and message["references"] is None
    assert message["auto-submitted"] == "auto-replied"
    assert "mailto:" not in html_of(message)


def replies(question: str, answer: str) -> dict[str, str]:
    """The text of replies as programs make them."""
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in question.split("\n"))
    return {
        "above": f"{answer}\n\nAnna\n\nOn 22.11.26 17:12, Crockery wrote:\n{quoted}",
        "below": f"On 22.11.26 17:12, Crockery wrote:\n{quoted}\n{answer}\n\n-- \nAnna\n",
        "Outlook": f"{answer}\n\nFrom: Crockery\nSent: Sunday\nTo: Anna\nSubject: x\n\n{question}",
        "rule": f"{answer}\n\n-----Original Message-----\n{question}",
        "German": f"{answer}\n\nAm 22.11.26 um 17:12 schrieb Crockery:\n\n{quoted}",
        "phone": f"{answer}\n\nSent from my iPhone\n\n> On 22 Nov 2026, at 17:12, Crockery wrote:\n{quoted}",
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_offered_answer_is_understood(name: str) -> None:
    waiting = QUESTIONS[name]
    offer = offered(waiting)
    question = render_text(LETTERS[f"ask-{name}"], SIGNATURE)
    options = [verb.value for verb in offer if verb != Verb.TRUST]
    options += [f"trust {each.seen_domain}" for each in waiting if KINDS[type(each.trouble)].trust]
    for option in options:
        assert f"\n  {option} " in question
        for text in replies(question, f"{option.capitalize()}, please.").values():
            mail = f"From: anna@example.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
            answer = read_answer(mail.encode())
            assert answer.verb is not None and option.startswith(answer.verb)
            assert is_offered(answer, offer)


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_written_is_no_answer(name: str) -> None:
    for text in replies(render_text(LETTERS[f"ask-{name}"], SIGNATURE), "").values():
        assert read_answer(f"\r\n{text}".encode()).verb is None


def test_offers() -> None:
    assert set(offered(QUESTIONS["policy-dane"])) == {Verb.CANCEL, Verb.RETRY, Verb.SEND}
    assert offered(QUESTIONS["two-domains"])[Verb.TRUST] == {"shady.test"}
    offer = offered(SHADY)
    for text, expected in [
        ("send", True), ("cancel", True), ("trust shady.test", True), ("trust dark.test", False), ("undo", False),
        ("who?", False), ("trust SHADY.test", True),
    ]:  # fmt: skip
        assert is_offered(read_lines([text]), offer) == expected
    assert is_offered(read_lines(["undo"]), confirmations.UNDO)
    assert not is_offered(read_lines(["send"]), confirmations.UNDO)
    assert not is_offered(read_lines(["trust bank.test"]), offered(QUESTIONS["two-domains"]))


def test_long_lists_and_subjects_stay_readable() -> None:
    many = Held("shady.test", "mx.shady.test", tuple(f"user{n}@shady.test" for n in range(500)), OTHER_NAME)
    text = render_text(ask(Original("x" * 3000, SENT, ""), [many], GIVE_UP), SIGNATURE)
    assert "and 496 others" in " ".join(text.split())
    assert len(text) < 4000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no-tls", "offers no encryption at all."),
        ("certificate-other-name", "shows a certificate for another name."),
        ("policy-dane", "breaks the rule that shady.test itself has published (DANE)."),
        ("changed-key", "shows another key than the one that was trusted."),
    ],
)
def test_why_it_was_given_up(name: str, expected: str) -> None:
    reason = why_given_up(QUESTIONS[name][0])
    assert reason.why == f"There was no secure way to send it in time: shady.test's mail server {expected}"
    assert "shady.test" in reason.advice
