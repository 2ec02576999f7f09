"""Who may in: passwords of accounts, and of apps (design §7).

A name without a label (anna, anna@domain) is checked against the account's own password, one with a label (anna/phone)
against that app password. Answer and time are the same for a wrong password, an unknown or a disabled account: what
is checked then is a verifier of nothing.

Known good logins, and known wrong passwords, are answered from memory for some minutes; both are forgotten when the
password changes, for its number is part of what they are known by. So a phone that reconnects costs nothing, and one
that goes on with an old password is not taken for somebody who guesses. Tries of one password at once share one check.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgpack
import trio

from crockery import limits
from crockery.actions.accounts import note_app_password_used
from crockery.actions.actor import the_server
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Store
from crockery.events.errors import LogError
from crockery.net.guessing import Guessing
from crockery.net.passwords import PasswordHasher, app_password_secret, new_app_password, verify_app_password
from crockery.net.peers import Remembered, network_of
from crockery.net.tally import Tally
from crockery.projections.accounts import Account, AppPassword, fold_local_part
from crockery.sasl import ScramSecret

logger: Final = logging.getLogger(__name__)

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded."""

    account: int
    name: str
    """The account's name, without domain and label."""
    app: int
    """The app password used; 0: the account's own."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a name claims to be. Without `account` there is nobody of that name who may log in."""

    name: str
    """Folded, with label, without domain."""
    is_app: bool
    account: Account | None
    app: AppPassword | None
    secret: int
    """Number of the event with the verifier, as it was when the claim was looked at; 0: there is none."""

    def login(self) -> Login | None:
        if self.account is None or not self.secret:
            return None
        return Login(self.account.id, self.account.name, self.app.id if self.app is not None else 0)


class _Known(dict[bytes, tuple[V, float]]):
    """Values by key until a time, at most LOGIN_CACHE_SIZE of them."""

    def recall(self, key: bytes, now: float) -> V | None:
        entry = self.get(key)
        return entry[0] if entry is not None and now < entry[1] else None

    def remember(self, key: bytes, value: V, now: float) -> None:
        self.pop(key, None)
        self[key] = (value, now + limits.LOGIN_CACHE)
        if len(self) > limits.LOGIN_CACHE_SIZE:
            del self[next(iter(self))]


class Logins:
    """Checks passwords. `hasher` is given so that tests need not wait."""

    def __init__(
        self,
        store: Store,
        tally: Tally,
        hasher: PasswordHasher | None = None,
        clock: Callable[[], float] = trio.current_time,
    ) -> None:
        self._store = store
        self._tally = tally
        self._hasher = hasher or PasswordHasher()
        self._clock = clock
        self._guessing = Guessing(clock)
        self._limiter = trio.CapacityLimiter(limits.PASSWORD_THREADS)
        self._key = secrets.token_bytes(32)
        self._good: _Known[Login] = _Known()
        self._wrong: _Known[bool] = _Known()
        self._in_hand: dict[bytes, trio.Event] = {}
        self._without_scram: Remembered[float] = Remembered()
        """network -> until when SCRAM is not offered there."""
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._no_app = app_password_secret(new_app_password())

    def offers_scram(self, peer: str) -> bool:
        """Whether SCRAM can be of use to this peer: only app passwords serve it.

        Programs that know SCRAM (mutt, mbsync) take nothing else where it is offered, and give up when it fails. So it
        is not offered while nobody has an app password, nor for a day where such a program was seen to have none.
        """
        if not self._store.state.accounts.has_app_passwords:
            return False
        until = self._without_scram.get(network_of(peer))
        return until is None or self._clock() >= until

    @property
    def scram_server_secret(self) -> bytes:
        """What `sasl.ScramSha256` makes the salts of unknown users from; the same for the life of the log."""
        return hashlib.blake2b(b"scram", key=self._store.log.header.key, digest_size=32).digest()

    def is_banned(self, peer: str) -> bool:
        """Whether to hang up on this peer: it guessed too often."""
        return self._guessing.is_banned(peer)

    async def check(self, name: str, password: str, peer: str) -> Login | None:
        """The login, or None. `name` is anna, anna@domain, anna/phone or anna@domain/phone.

        May take many seconds where somebody guesses. Raises Refused (LIMIT) when too many wait to be checked.
        """
        claim = self._claim(name)
        key = self._fingerprint(claim, password)
        while True:
            login = self._good.recall(key, self._clock())
            if login is not None:
                return self._welcome(claim, login, peer)
            if self.is_banned(peer):
                self._tally.count("login-banned")
                return None
            if self._wrong.recall(key, self._clock()):
                self._tally.count("login-wrong-again")
                return None
            if key not in self._in_hand:
                break
            await self._in_hand[key].wait()
        self._in_hand[key] = trio.Event()
        try:
            return await self._try(claim, key, password, peer)
        finally:
            self._in_hand.pop(key).set()

    async def _try(self, claim: _Claim, key: bytes, password: str, peer: str) -> Login | None:
        if self._limiter.statistics().tasks_waiting >= limits.PASSWORD_QUEUE:
            self._tally.count("login-refused-busy")
            raise Refused(Reason.LIMIT, "too many logins at once: try again in a moment")
        delay = self._guessing.begin(claim.name, peer)
        if delay:
            await trio.sleep(delay)
        verify = self._verifier(claim)
        is_good = await trio.to_thread.run_sync(verify, password, limiter=self._limiter)
        now_claimed = self._claim(claim.name)  # the world may have changed while we hashed
        login = now_claimed.login() if is_good and now_claimed.secret == claim.secret else None
        if login is None:
            self._wrong.remember(key, True, self._clock())
            self._note_failure(peer)
            return None
        self._guessing.succeeded(claim.name, peer)
        self._good.remember(key, login, self._clock())
        return self._welcome(claim, login, peer)

    def _verifier(self, claim: _Claim) -> Callable[[str], bool]:
        """What checks the password; as long for a claim that nobody can make good."""
        if claim.is_app:
            secret = self._app_secret(claim)
            known = secret or self._no_app
            return lambda password: verify_app_password(known, password) and secret is not None
        stored = self._read(claim.secret)
        verifier = stored.decode() if stored else self._nobody
        return lambda password: self._hasher.verify(verifier, password) and stored is not None

    def scram_secret(self, name: str) -> ScramSecret | None:
        """The secret of an app password (`name` is anna/phone or anna@domain/phone); None: there is none."""
        return self._app_secret(self._claim(name))

    def scram_done(self, name: str, peer: str, ok: bool) -> Login | None:
        """What came of a SCRAM exchange; returns the login when it is good."""
        claim = self._claim(name)
        if not claim.is_app:  # no guess: there is nothing to hit
            self._without_scram.put(network_of(peer), self._clock() + limits.WITHOUT_SCRAM)
            self._tally.count("login-scram-without-app")
            return None
        login = claim.login() if ok else None
        if login is None:
            self._guessing.begin(claim.name, peer)
            self._note_failure(peer)
            return None
        return self._welcome(claim, login, peer)

    def _claim(self, name: str) -> _Claim:
        address, slash, label = fold_local_part(name).partition("/")
        local_part, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
        state = self._store.state
        account = state.accounts.find(local_part) if not at or domain in state.settings.domains else None
        if account is not None and account.disabled:
            account = None
        app = account.app_passwords.get(label) if account is not None else None
        shown = local_part if not at or domain in state.settings.domains else address
        verified_by = app.id if app is not None else account.password if account is not None and not slash else 0
        return _Claim(shown + slash + label, bool(slash), account, app, verified_by)

    def _app_secret(self, claim: _Claim) -> ScramSecret | None:
        body = self._read(claim.secret) if claim.is_app else None
        return ScramSecret(**msgpack.unpackb(body)) if body else None

    def _read(self, number: int) -> bytes | None:
        if not number:
            return None
        try:
            return self._store.log.read_body(number)
        except LogError as error:
            logger.error("a password cannot be checked: %s; set it anew", error)
            return None

    def _fingerprint(self, claim: _Claim, password: str) -> bytes:
        """What this try is known by: under a key of this process, so that memory tells nothing."""
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        for part in (claim.name, str(claim.secret), password):
            octets = part.encode("utf-8", "surrogatepass")
            digest.update(len(octets).to_bytes(4, "little") + octets)
        return digest.digest()

    def _note_failure(self, peer: str) -> None:
        self._tally.count("login-wrong")
        if self._guessing.failed(peer):
            self._tally.count("network-banned")
            logger.warning("the network of %s is banned for %d minutes: wrong passwords", peer, limits.BAN_TIME // 60)

    def _welcome(self, claim: _Claim, login: Login, peer: str) -> Login:
        """Note now and then that an app password is in use."""
        app = claim.app
        if app is not None and self._store.clock() - app.last_used >= limits.APP_PASSWORD_USE_NOTED * 1_000_000:
            try:
                note_app_password_used(self._store, the_server(), app.id, peer)
            except LogError as error:
                logger.error("the use of an app password is not noted: %s", error)
        return login
