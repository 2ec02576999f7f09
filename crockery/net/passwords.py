"""Verifiers of passwords: argon2id for those that people think of, SCRAM keys for random app passwords.

RFC 9106 (argon2), RFC 4013 (SASLprep), RFC 5802 (SCRAM). All of it takes milliseconds: for threads.
"""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final

import argon2

from crockery.sasl import PrepError, ScramSecret, saslprep, scram_verifier

APP_PASSWORD_OCTETS: Final = 15
"""120 bits."""
_GROUP: Final = 4
_SALT_OCTETS: Final = 16


@dataclass(frozen=True, slots=True)
class Hashing:
    """The cost of argon2id: the second choice of OWASP's list (19 MiB, 2 passes): 35 ms here. Tests take less."""

    memory: int = 19 * 1024
    """KiB."""
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class PasswordHasher:
    """Makes and checks verifiers of account passwords."""

    hashing: Hashing = field(default_factory=Hashing)

    def hash(self, password: str) -> str:
        """A verifier in PHC form. Raises PrepError (a ValueError) when the text cannot be a password."""
        prepared = saslprep(password)
        if not prepared:
            raise PrepError("a password cannot be empty")
        return self._argon2().hash(prepared)

    def verify(self, verifier: str, password: str) -> bool:
        """Whether the password is the verifier's. Takes the same time when it is not."""
        try:
            prepared = saslprep(password)
        except PrepError:
            prepared = ""
        try:
            return self._argon2().verify(verifier, prepared) and bool(prepared)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _argon2(self) -> argon2.PasswordHasher:
        cost = self.hashing
        return argon2.PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=cost.lanes)


def new_app_password() -> str:
    """A random password as people copy it: base32 in lower case, in groups, "abcd-efgh-..."."""
    letters = base64.b32encode(secrets.token_bytes(APP_PASSWORD_OCTETS)).decode().lower()
    return _grouped(letters)


def app_password_as_shown(typed: str) -> str:
    """What somebody typed, in the form it was shown in: groups may be written together, apart, or in upper case."""
    return _grouped("".join(filter(str.isalnum, typed)).lower())


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def app_password_secret(password: str) -> ScramSecret:
    """What is kept of a new app password."""
    return scram_verifier(password, secrets.token_bytes(_SALT_OCTETS))


def verify_app_password(secret: ScramSecret, typed: str) -> bool:
    """Whether this is the app password."""
    try:
        made = scram_verifier(app_password_as_shown(typed), secret.salt, secret.iterations)
    except PrepError:
        made = scram_verifier("wrong", secret.salt, secret.iterations)
    return secrets.compare_digest(made.stored_key, secret.stored_key)
