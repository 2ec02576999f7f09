"""SASL, the server's side, without I/O: what a client proves and how, for SMTP AUTH and IMAP AUTHENTICATE alike.

RFC 4422 (framework), RFC 4616 (PLAIN), LOGIN (draft-murchison-sasl-login), RFC 5802 and RFC 7677 (SCRAM-SHA-256).

A `Mechanism` takes responses and gives steps: a `Challenge` to send, or an outcome. PLAIN and LOGIN end in
`Credentials`, which the caller checks against the account; SCRAM ends in `Verified`, for the proof is in the exchange;
`Failure` says no. An `Exchange` wraps a mechanism in the base64 lines that both protocols use, cancelling included:

    exchange = Exchange(Plain())
    step = exchange.begin(initial)                      # the initial response as sent, or None
    while isinstance(step, Challenge):
        line = await ask(step.encoded)                  # 334 or +, and the client's next line
        step = exchange.respond(line)
    match step:
        case Credentials(authcid=user, password=password): ...
        case Verified(user): ...
        case Failure(kind): ...                         # 501 for CANCELLED and MALFORMED, 535 for REJECTED; BAD and NO

Outcomes hold names and passwords as sent; `prep.saslprep` is for whoever stores and compares them.
"""

from crockery.sasl.exchange import Exchange
from crockery.sasl.login import Login
from crockery.sasl.mechanism import (
    Challenge,
    Credentials,
    Failure,
    FailureKind,
    Mechanism,
    Outcome,
    Step,
    Verified,
)
from crockery.sasl.plain import Plain
from crockery.sasl.prep import PrepError, saslprep
from crockery.sasl.scram import ScramSecret, ScramSha256, scram_verifier

__all__ = [
    "Challenge",
    "Credentials",
    "Exchange",
    "Failure",
    "FailureKind",
    "Login",
    "Mechanism",
    "Outcome",
    "Plain",
    "PrepError",
    "ScramSecret",
    "ScramSha256",
    "Step",
    "Verified",
    "saslprep",
    "scram_verifier",
]
