"""The second question: a certificate that cannot be verified. It says in plain words what is wrong with it."""

from dataclasses import dataclass
from typing import Final

from crockery.assistant.facts import BadCertificate, CertificateFault, Held
from crockery.assistant.letter import Block
from crockery.assistant.questions.kind import Kind
from crockery.assistant.wording import join_words, tell_someone
from crockery.message.dates import spell_day


@dataclass(frozen=True, slots=True)
class _Fault:
    """`clause` follows "the mail server"; `also` is a sentence where another fault has been named already."""

    clause: str
    also: str


_FAULTS: Final = {  # in the order in which they matter
    CertificateFault.OTHER_NAME: _Fault(
        "shows a certificate for another name", "It is also made out to another name."
    ),
    CertificateFault.SELF_SIGNED: _Fault(
        "shows a certificate that it has issued to itself, which anybody could do",
        "The server has also issued it to itself, which anybody could do.",
    ),
    CertificateFault.UNKNOWN_ISSUER: _Fault(
        "shows a certificate from an issuer that nobody vouches for", "Nobody vouches for its issuer, either."
    ),
    CertificateFault.EXPIRED: _Fault("shows a certificate that has run out", "It has also run out."),
    CertificateFault.NOT_YET_VALID: _Fault(
        "shows a certificate that is not valid yet", "It is not valid yet, either."
    ),
    CertificateFault.UNUSABLE: _Fault(
        "shows a certificate that is damaged, or too weak to prove anything", "It is also too weak to prove anything."
    ),
}  # fmt: skip


def clause(held: Held) -> str:
    """In short."""
    assert isinstance(held.trouble, BadCertificate)
    return describe_fault(held.trouble)


def explain(held: Held, zone: int) -> list[Block]:
    """What the server shows and what that means; the details; what it mostly is."""
    certificate = held.trouble
    assert isinstance(certificate, BadCertificate)
    return [
        f"{held.seen_domain}'s mail server {describe_fault(certificate)}, so someone on the way could be reading this, "
        f"and nobody could tell. {describe_details(certificate, held.host, zone)}",
        "A certificate is the passport of a mail server. Most often, one that is not in order is an oversight on their "
        "side and not an attack. But from here the two look just the same.",
    ]


def describe_fault(certificate: BadCertificate) -> str:
    """The first fault, to follow "the mail server"."""
    return _ordered(certificate)[0].clause


def describe_details(certificate: BadCertificate, host: str, zone: int) -> str:
    """Names, issuer and dates as far as they matter and are known, then the other faults; whole sentences."""
    faults, facts = certificate.faults, []
    if CertificateFault.OTHER_NAME in faults:
        facts.append(f"is made out to {join_words(certificate.names) or 'nobody'}.")
    if CertificateFault.UNKNOWN_ISSUER in faults and certificate.issuer:
        facts.append(f'comes from "{certificate.issuer}".')
    if CertificateFault.EXPIRED in faults and certificate.valid_until is not None:
        facts.append(f"was good until {spell_day(certificate.valid_until, zone)}.")
    if CertificateFault.NOT_YET_VALID in faults and certificate.valid_from is not None:
        facts.append(f"is good only from {spell_day(certificate.valid_from, zone)} on.")
    sentences = [f"{'It' if number else f'The certificate of {host}'} {fact}" for number, fact in enumerate(facts)]
    sentences = sentences or [f"The server's name is {host}."]
    return " ".join([*sentences, *(fault.also for fault in _ordered(certificate)[1:])])


def _ordered(certificate: BadCertificate) -> list[_Fault]:
    found = [words for fault, words in _FAULTS.items() if fault in certificate.faults]
    return found or [_FAULTS[CertificateFault.UNUSABLE]]


def send(held: Held) -> str:
    """This once."""
    return "Send just this message anyway: encrypted, but without knowing who is at the other end."


def trust(held: Held) -> str:
    """A pin."""
    return (
        f"Send it to {join_words(held.seen_recipients)}, and from now on know {held.seen_domain}'s mail server by the "
        "key of this certificate. If it shows another key one day, you are asked again."
    )


def advice(held: Held) -> str:
    """It is theirs to put right; meanwhile there are the answers."""
    return tell_someone(held.seen_domain, "needs a valid certificate")


BAD_CERTIFICATE: Final = Kind(clause, explain, send, trust, advice)
