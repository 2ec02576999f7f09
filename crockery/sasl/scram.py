"""SCRAM-SHA-256, the server's side: RFC 5802 with the hash of RFC 7677, without channel binding.

The client proves the password without sending it, and the server proves to know the verifier. The server keeps salt,
iterations, StoredKey and ServerKey; these do not give the password, and here only random app passwords have them.

Invariants: an unknown user is answered as a known one is (a salt made from the name, so that it is the same each time,
and the same work), to the last message. What is compared with a secret is compared in constant time.
"""

import base64
import dataclasses
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from crockery import limits
from crockery.sasl.exchange import decode_base64
from crockery.sasl.mechanism import Challenge, Failure, FailureKind, Step, Verified, decode_text, malformed
from crockery.sasl.prep import PrepError, saslprep

SALT_SIZE: Final = 16  # octets


@dataclasses.dataclass(frozen=True, slots=True)
class ScramSecret:
    """What the server keeps of a password: `salt` octets, `iterations`, and two keys of 32 octets."""

    salt: bytes
    iterations: int
    stored_key: bytes = dataclasses.field(repr=False)
    server_key: bytes = dataclasses.field(repr=False)


def scram_verifier(password: str, salt: bytes, iterations: int = limits.SCRAM_ITERATIONS) -> ScramSecret:
    """The secret of a password (RFC 5802 §3). Costs `iterations` hashes: not for the event loop. Raises PrepError."""
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return ScramSecret(salt, iterations, stored_key, _hmac(salted, b"Server Key"))


# client-first-message = gs2-header client-first-message-bare (RFC 5802 §7)
_CLIENT_FIRST: Final = re.compile(
    rb"(?P<gs2>(?P<binding>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<authzid>[^,\0]+))?,)"
    rb"(?P<bare>n=(?P<user>[^,\0]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*)"
)
# client-final-message = client-final-message-without-proof "," proof
_CLIENT_FINAL: Final = re.compile(
    rb"(?P<bare>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*)"
    rb",p=(?P<proof>[A-Za-z0-9+/=]+)"
)


class ScramSha256:
    """One exchange.

    `lookup` gives the secret of a user by name (prepared by SASLprep), or None. `server_secret` (16 octets or more,
    the same for years) makes the salts of users that do not exist. `nonce` is fresh printable ASCII without comma, 18
    octets or more of randomness in base64. All real secrets should have `limits.SCRAM_ITERATIONS`, as the pretended
    ones do.
    """

    def __init__(self, lookup: Callable[[str], ScramSecret | None], server_secret: bytes, nonce: str) -> None:
        self._lookup = lookup
        self._server_secret = server_secret
        self._nonce = nonce.encode("ascii")
        self._turn: Callable[[bytes], Step] = self._client_first
        self._user = ""
        self._is_known = False
        self._secret = ScramSecret(b"", 0, b"", b"")
        self._gs2_header = b""
        self._messages = b""  # client-first-message-bare "," server-first-message

    def step(self, response: bytes | None) -> Step:
        """See `Mechanism.step`."""
        if response is None:
            return Challenge(b"")
        return self._turn(response)

    def _client_first(self, message: bytes) -> Step:
        """Name and nonce of the client; the answer is salt, iterations and the joint nonce."""
        match = _CLIENT_FIRST.fullmatch(message)
        if match is None:
            return malformed("client-first-message")
        if match["binding"].startswith(b"p"):
            return malformed("channel binding is not offered")
        user = _parse_saslname(match["user"])
        authzid = _parse_saslname(match["authzid"]) if match["authzid"] else user
        if user is None or authzid is None:
            return malformed("user name")
        if authzid != user:
            return Failure(FailureKind.REJECTED, "may not act for another", user)
        secret = self._lookup(user)
        self._user, self._is_known = user, secret is not None
        self._secret = secret or self._pretended_secret(user)
        self._gs2_header = match["gs2"]
        self._nonce = match["nonce"] + self._nonce
        salt = base64.b64encode(self._secret.salt)
        challenge = b"r=%b,s=%b,i=%d" % (self._nonce, salt, self._secret.iterations)
        self._messages = match["bare"] + b"," + challenge
        self._turn = self._client_final
        return Challenge(challenge)

    def _client_final(self, message: bytes) -> Step:
        """The client's proof; the answer is the server's."""
        match = _CLIENT_FINAL.fullmatch(message)
        if match is None:
            return malformed("client-final-message")
        proof = decode_base64(match["proof"])
        if match["nonce"] != self._nonce or decode_base64(match["binding"]) != self._gs2_header:
            return malformed("nonce or channel binding does not match")
        auth_message = self._messages + b"," + match["bare"]
        if proof is None or not self._is_proof(proof, auth_message) or not self._is_known:
            return Failure(FailureKind.REJECTED, "wrong proof", self._user)
        self._turn = self._client_done
        return Challenge(b"v=" + base64.b64encode(_hmac(self._secret.server_key, auth_message)))

    def _is_proof(self, proof: bytes, auth_message: bytes) -> bool:
        """Whether the hash of ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage) is the StoredKey."""
        signature = _hmac(self._secret.stored_key, auth_message)
        if len(proof) != len(signature):
            return False
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), self._secret.stored_key)

    def _client_done(self, message: bytes) -> Step:
        """Neither protocol can carry the server's proof with its success, so the client answers it with nothing."""
        return malformed("nothing more was asked") if message else Verified(self._user)

    def _pretended_secret(self, user: str) -> ScramSecret:
        key = _hmac(self._server_secret, user.encode())
        return ScramSecret(key[:SALT_SIZE], limits.SCRAM_ITERATIONS, key, key)


def _parse_saslname(octets: bytes) -> str | None:
    """`saslname = 1*(value-safe-char / "=2C" / "=3D")`, prepared; None if it is not one."""
    if re.search(rb"=(?!2C|3D)", octets):
        return None
    text = decode_text(octets.replace(b"=2C", b",").replace(b"=3D", b"="))
    try:
        return None if text is None else saslprep(text) or None
    except PrepError:
        return None


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
