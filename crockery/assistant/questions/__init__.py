"""Questions about mail that is held: one file for each kind of trouble, and what they have in common.

`KINDS` says which file puts which trouble into words; `ask`, `remind` and `ask_again` are the letters. A message is
held for one or more domains, each with its own trouble; there is one letter for all of them.
"""

from collections.abc import Sequence
from typing import Final

from crockery.assistant.facts import BadCertificate, BrokenPolicy, ChangedKey, Held, NoTLS, Original, Trouble
from crockery.assistant.letter import Block, Choices, Letter
from crockery.assistant.questions.bad_certificate import BAD_CERTIFICATE
from crockery.assistant.questions.broken_policy import BROKEN_POLICY
from crockery.assistant.questions.changed_key import CHANGED_KEY
from crockery.assistant.questions.kind import Kind
from crockery.assistant.questions.no_tls import NO_TLS
from crockery.assistant.verbs import Verb
from crockery.assistant.wording import begin, join_words, name_message, title
from crockery.message.dates import spell_date
from crockery.message.dsn_reasons import Reason

KINDS: Final[dict[type[Trouble], Kind]] = {
    NoTLS: NO_TLS,
    BadCertificate: BAD_CERTIFICATE,
    ChangedKey: CHANGED_KEY,
    BrokenPolicy: BROKEN_POLICY,
}


def ask(original: Original, held: Sequence[Held], give_up: int) -> Letter:
    """The first question about a message; `give_up` is when its delivery is given up (Unix seconds)."""
    opening = (
        f"{begin(name_message(original))} has not been sent to {recipients(held)} yet. {_come_from(original)}It is "
        "held here, because there is no secure way to send it."
    )
    return Letter(title("Not sent yet", original), [opening, *_body(held, give_up, original.zone)])


def remind(original: Original, held: Sequence[Held], give_up: int, days_held: int) -> Letter:
    """The question again, after some days without an answer."""
    opening = (
        f"{begin(name_message(original))} is still held: for {days_held} days now there has been no secure way to "
        f"send it to {recipients(held)}. {_come_from(original)}".rstrip()
    )
    return Letter(title("Still not sent", original), [opening, *_body(held, give_up, original.zone)])


def ask_again(original: Original, held: Sequence[Held], give_up: int, written: str) -> Letter:
    """The answer was not understood: `written` is the line that was read, "" if there was none."""
    opening = "Crockery could not find an answer in your mail, so nothing was done."
    if written:
        opening = f'Crockery is not sure what you mean by "{written}", so nothing was done.'
    still = (
        f"{begin(name_message(original))} to {recipients(held)} is still held. If there is no secure way until "
        f"{spell_date(give_up, original.zone)}, Crockery gives it up and tells you."
    )
    choices: list[Block] = ["Please answer with just one of these:", Choices(_options(held))]
    return Letter(title("Please say it again", original), [opening, still, *choices])


def why_given_up(held: Held) -> Reason:
    """For the failure notice at the end: no secure way, and no answer that did without."""
    kind = KINDS[type(held.trouble)]
    why = f"There was no secure way to send it in time: {held.seen_domain}'s mail server {kind.clause(held)}."
    return Reason(why, kind.advice(held))


def offered(held: Sequence[Held]) -> dict[Verb, frozenset[str]]:
    """The answers that a question offers; with TRUST the domains it may name, with others nothing."""
    trusted = frozenset(each.domain for each in held if KINDS[type(each.trouble)].trust)
    plain = dict.fromkeys((Verb.CANCEL, Verb.RETRY, Verb.SEND), frozenset[str]())
    return plain | {Verb.TRUST: trusted} if trusted else plain


def recipients(held: Sequence[Held]) -> str:
    """All that wait, as words in a sentence."""
    return join_words([recipient for each in held for recipient in each.seen_recipients])


def _come_from(original: Original) -> str:
    """Why somebody is asked about a message of somebody else's; "" of their own."""
    return "It came in here, and is to be forwarded there. " if original.author else ""


def _body(held: Sequence[Held], give_up: int, zone: int) -> list[Block]:
    explained = [block for each in held for block in KINDS[type(each.trouble)].explain(each, zone)]
    meanwhile = (
        "You need not do anything. Crockery keeps trying, and sends the message as soon as there is a secure way. If "
        f"there is none until {spell_date(give_up, zone)}, it gives up and tells you."
    )
    decide = "If you would rather decide now, just answer this mail with one of these:"
    return [*explained, meanwhile, decide, Choices(_options(held))]


def _options(held: Sequence[Held]) -> tuple[tuple[str, str], ...]:
    kinds = [(each, KINDS[type(each.trouble)]) for each in held]
    sends = [kind.send(each) for each, kind in kinds]
    if len(set(sends)) > 1:
        sends = [f"To {each.seen_domain}: {text}" for each, text in zip(held, sends, strict=True)]
    return (
        (Verb.CANCEL, f"Do not send it to {recipients(held)} after all."),
        (Verb.RETRY, "Try again right now. If nothing has changed, it stays held."),
        (Verb.SEND, " ".join(dict.fromkeys(sends))),
        *((f"{Verb.TRUST} {each.seen_domain}", kind.trust(each)) for each, kind in kinds if kind.trust),
    )
