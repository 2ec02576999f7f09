"""The first question: a mail server without any encryption."""

from typing import Final

from crockery.assistant.facts import Held, NoTLS
from crockery.assistant.letter import Block
from crockery.assistant.questions.kind import Kind
from crockery.assistant.wording import join_words, tell_someone
from crockery.message.dates import spell_day


def clause(held: Held) -> str:
    """In short."""
    return "offers no encryption at all"


def explain(held: Held, zone: int) -> list[Block]:
    """A postcard; and whether it was always so."""
    trouble = held.trouble
    assert isinstance(trouble, NoTLS)
    if trouble.trusted is None:
        before = (
            "Some old mail servers are just like that. But it can also mean that someone on the way is hiding the "
            "encryption that is really there."
        )
    else:
        before = (
            f"It has not always been so: on {spell_day(trouble.trusted, zone)} Crockery was told to trust this server "
            "by the key of its encryption. Perhaps something is broken there now. But it is also just what you would "
            f"see if someone on the way were hiding the encryption. If it matters, ask someone at {held.seen_domain} "
            "by telephone."
        )
    return [
        f"{held.seen_domain}'s mail server ({held.host}) {clause(held)}. The message would travel like a "
        "postcard: everyone who carries it on its way could read and change it.",
        before,
    ]


def send(held: Held) -> str:
    """This once."""
    return "Send just this message anyway, like a postcard."


def trust(held: Held) -> str:
    """There is nothing to pin: it allows plain delivery to the domain."""
    return (
        f"Send it to {join_words(held.seen_recipients)}, and from now on all mail from this server to "
        f"{held.seen_domain} like postcards, without asking anybody, for as long as there is no encryption. There is "
        "no certificate by which to know the server, so this trusts whoever answers in its place."
    )


def advice(held: Held) -> str:
    """The same, with other words."""
    return tell_someone(held.seen_domain, "offers no encryption")


NO_TLS: Final = Kind(clause, explain, send, trust, advice)
