"""The third question: the domain's own rule for mail to it is broken. Trust is not offered."""

from typing import Final

from crockery.assistant.facts import BrokenPolicy, Held, Policy, PolicyFault
from crockery.assistant.letter import Block
from crockery.assistant.questions.kind import Kind

_RULES: Final = {
    Policy.DANE: "has published a rule (DANE) that says by which certificates its mail servers are to be known",
    Policy.MTA_STS: "has published a rule (MTA-STS): mail to it goes to its own mail servers only, and only if they "
    "prove who they are",
}
_BREACHES: Final = {
    PolicyFault.CERTIFICATE: "The server that answered ({host}) shows a certificate that does not fit this rule: it "
    "does not prove who the server is.",
    PolicyFault.NO_TLS: "The server that answered ({host}) offers no encryption, and so no proof at all.",
    PolicyFault.OTHER_HOST: "The server to which mail is directed now ({host}) is none of those that the rule names.",
}


def clause(held: Held) -> str:
    """In short."""
    assert isinstance(held.trouble, BrokenPolicy)
    return f"breaks the rule that {held.seen_domain} itself has published ({held.trouble.policy})"


def explain(held: Held, zone: int) -> list[Block]:
    """The rule, the breach, the two ways it can have come to that."""
    trouble = held.trouble
    assert isinstance(trouble, BrokenPolicy)
    return [
        f"{held.seen_domain} {_RULES[trouble.policy]}. {_BREACHES[trouble.fault].format(host=held.host)}",
        f"Either {held.seen_domain} has made a mistake with its own rule, or someone stands in the way and pretends to "
        "be its mail server. The rule was made to tell you just that, so please take it seriously: if this message "
        f"is not for everybody's eyes, wait, or ask someone at {held.seen_domain} by telephone.",
    ]


def send(held: Held) -> str:
    """This once, against the rule."""
    return f"Send just this message all the same, against {held.seen_domain}'s own rule and perhaps to a stranger."


def advice(held: Held) -> str:
    """Only they can know which of the two it is."""
    return (
        f"Ask someone at {held.seen_domain}, by telephone, whether they know that their mail server and their own rule "
        "do not fit together. When they have put it right, send the message again."
    )


BROKEN_POLICY: Final = Kind(clause, explain, send, None, advice)
