"""All core projections, and the table of which event goes to which of their methods."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crockery.events.types import EventType, accounts, annotations, mail, queue, server, trust
from crockery.projections.accounts import Accounts
from crockery.projections.forwards import Forwards
from crockery.projections.mailboxes import Mailboxes
from crockery.projections.metadata import Metadata
from crockery.projections.questions import Questions
from crockery.projections.queue import Queue
from crockery.projections.retention import Retention
from crockery.projections.sent import Sent
from crockery.projections.server import Server
from crockery.projections.sessions import Sessions
from crockery.projections.settings import Settings
from crockery.projections.signing import Signing
from crockery.projections.smart_host import SmartHosts
from crockery.projections.submissions import Submissions
from crockery.projections.threads import Threads
from crockery.projections.tls_tallies import TLSTallies
from crockery.projections.trust import Trust

Fold = Callable[[int, int, Mapping[str, Any]], None]
"""Sequence number, time in microseconds, facts."""

Row = tuple[EventType, tuple[Fold, ...]]
"""An event, and what folds it, in this order."""


class Projection(Protocol):
    """What every core projection can do besides folding."""

    def dump(self) -> Any:
        """Plain values (msgpack) for a snapshot."""

    def load(self, dumped: Any) -> None:
        """Become what was dumped."""


class State:
    """What the log adds up to."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.accounts = Accounts()
        self.mailboxes = Mailboxes()
        self.threads = Threads()
        self.metadata = Metadata()
        self.sessions = Sessions()
        self.queue = Queue()
        self.questions = Questions()
        self.trust = Trust()
        self.signing = Signing()
        self.tls_tallies = TLSTallies()
        self.forwards = Forwards()
        self.sent = Sent()
        self.submissions = Submissions()
        self.smart_host = SmartHosts()
        self.retention = Retention()
        self.server = Server()
        self.sequence = 0
        """The last event folded."""
        self.time = 0
        self._folds: dict[int, tuple[Fold, ...]] = self._table()

    def apply(self, sequence: int, time: int, kind: EventType, facts: Mapping[str, Any]) -> None:
        """Fold one event."""
        self.sequence = sequence
        self.time = time
        for fold in self._folds.get(kind.code, ()):
            fold(sequence, time, facts)

    def dump(self) -> dict[str, Any]:
        """Plain values (msgpack) that `load` makes the same state of."""
        dumped = {name: projection.dump() for name, projection in self._projections()}
        return {**dumped, "sequence": self.sequence, "time": self.time}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Become the state of a dump."""
        for name, projection in self._projections():
            projection.load(dumped[name])
        self.sequence, self.time = dumped["sequence"], dumped["time"]

    def _projections(self) -> list[tuple[str, Projection]]:
        return [
            ("settings", self.settings),
            ("accounts", self.accounts),
            ("mailboxes", self.mailboxes),
            ("threads", self.threads),
            ("metadata", self.metadata),
            ("sessions", self.sessions),
            ("queue", self.queue),
            ("questions", self.questions),
            ("trust", self.trust),
            ("signing", self.signing),
            ("tls_tallies", self.tls_tallies),
            ("forwards", self.forwards),
            ("sent", self.sent),
            ("submissions", self.submissions),
            ("smart_host", self.smart_host),
            ("retention", self.retention),
            ("server", self.server),
        ]

    def _table(self) -> dict[int, tuple[Fold, ...]]:
        rows = (*self._of_server(), *self._of_accounts(), *self._of_mail(), *self._of_queue(), *self._of_trust())
        return {kind.code: folds for kind, folds in rows}

    def _of_server(self) -> tuple[Row, ...]:
        kept, waiting = self.retention, self.queue
        return (
            (server.SERVER_STARTED, (self.server.server_started, waiting.server_started)),
            (server.SERVER_STOPPED, (self.server.server_stopped, kept.server_stopped)),
            (
                server.HISTORY_RESUMED,
                (self.server.history_resumed, self.mailboxes.history_resumed, waiting.history_resumed),
            ),
            (server.BODY_PART, (kept.body_part,)),
            (server.BODIES_ERASED, (kept.bodies_erased,)),
            (server.SETTING_CHANGED, (self.settings.setting_changed,)),
            (server.CERTIFICATE_INSTALLED, (self.server.certificate_installed, kept.secret_replaced)),
            (
                server.SMART_HOST_SET,
                (self.smart_host.smart_host_set, waiting.smart_host_set, kept.secret_replaced),
            ),
            (server.SMART_HOST_TOLD, (self.smart_host.smart_host_told,)),
        )

    def _of_accounts(self) -> tuple[Row, ...]:
        people, kept = self.accounts, self.retention
        return (
            (accounts.ACCOUNT_ADDED, (people.account_added,)),
            (
                accounts.ACCOUNT_REMOVED,
                (
                    people.account_removed,
                    self.mailboxes.account_removed,
                    kept.orphans_made,
                    kept.account_removed,
                    self.metadata.account_removed,
                    self.submissions.account_removed,
                ),
            ),
            (accounts.ACCOUNT_DISABLED, (people.account_disabled,)),
            (accounts.PASSWORD_SET, (people.password_set, kept.secret_replaced)),
            (accounts.ALIAS_ADDED, (people.alias_added,)),
            (accounts.ALIAS_REMOVED, (people.alias_removed,)),
            (accounts.WILDCARD_SET, (people.wildcard_set,)),
            (accounts.APP_PASSWORD_ADDED, (people.app_password_added,)),
            (accounts.APP_PASSWORD_REMOVED, (people.app_password_removed, kept.app_password_removed)),
            (accounts.APP_PASSWORD_USED, (people.app_password_used,)),
            (accounts.QUOTA_CHANGED, (people.quota_changed,)),
            (accounts.QUOTA_TOLD, (people.quota_told,)),
            (accounts.SESSION_OPENED, (self.sessions.session_opened,)),
            (accounts.FORWARD_SET, (people.forward_set,)),
        )

    def _of_mail(self) -> tuple[Row, ...]:
        boxes, kept = self.mailboxes, self.retention
        return (
            (mail.MAILBOX_CREATED, (boxes.mailbox_created,)),
            (mail.MAILBOXES_RENAMED, (boxes.mailboxes_renamed,)),
            (mail.MAILBOX_DELETED, (boxes.mailbox_deleted, kept.orphans_made, self.metadata.mailbox_deleted)),
            (mail.SUBSCRIPTIONS_CHANGED, (boxes.subscriptions_changed,)),
            (annotations.METADATA_CHANGED, (self.metadata.metadata_changed, boxes.metadata_changed)),
            (annotations.SPECIAL_USES_CHANGED, (boxes.special_uses_changed,)),
            (mail.MESSAGE_RECEIVED, (boxes.message_received, self.threads.message_received, kept.body_stored)),
            (mail.FLAGS_CHANGED, (boxes.flags_changed,)),
            (mail.MESSAGES_COPIED, (boxes.messages_copied,)),
            (mail.MESSAGES_EXPUNGED, (boxes.messages_expunged, kept.orphans_made)),
        )

    def _of_queue(self) -> tuple[Row, ...]:
        kept, waiting = self.retention, self.queue
        return (
            (
                queue.MESSAGE_QUEUED,
                (
                    waiting.message_queued,
                    self.sent.message_queued,
                    self.submissions.message_queued,
                    kept.body_stored,
                ),
            ),
            (queue.ATTEMPT_BEGUN, (waiting.attempt_begun,)),
            (
                queue.RECIPIENTS_ATTEMPTED,
                (waiting.recipients_attempted, self.smart_host.recipients_attempted, kept.orphans_made),
            ),
            (queue.RECIPIENTS_RESCHEDULED, (waiting.recipients_rescheduled,)),
            (queue.RECIPIENTS_CANCELLED, (waiting.recipients_cancelled, kept.orphans_made)),
            (queue.RECIPIENTS_RESTORED, (waiting.recipients_restored, kept.message_restored)),
            (queue.NOTICE_MADE, (waiting.notice_made, kept.orphans_made)),
            (queue.FORWARD_KEPT, (self.forwards.forward_kept,)),
            (queue.DELIVERY_REPORTED, (waiting.delivery_reported,)),
            (queue.QUEUE_RELEASED, (waiting.queue_released, kept.orphans_made)),
        )

    def _of_trust(self) -> tuple[Row, ...]:
        return (
            (trust.QUESTION_ASKED, (self.questions.question_asked,)),
            (trust.QUESTION_REMINDED, (self.questions.question_reminded,)),
            (trust.QUESTION_ANSWERED, (self.questions.question_answered,)),
            (trust.TRUST_GRANTED, (self.trust.trust_granted,)),
            (trust.TRUST_REVOKED, (self.trust.trust_revoked,)),
            (trust.STS_POLICY_CACHED, (self.trust.sts_policy_cached,)),
            (trust.DKIM_KEY_ADDED, (self.signing.dkim_key_added, self.retention.secret_replaced)),
            (trust.SRS_KEY_ADDED, (self.signing.srs_key_added,)),
            (trust.TLS_JUDGED, (self.tls_tallies.tls_judged,)),
        )
