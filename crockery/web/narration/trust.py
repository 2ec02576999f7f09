"""Sentences for events of trust in the way to other domains, and our own DKIM keys."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import trust as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import listed


def _question_asked(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    account, message = names.account(facts["account"]), facts["message"]
    if "undo" in facts:
        return f"{account} was told what was done about message {message}, and can undo it"
    return f"{account} was asked about message {message}: no secure way to {listed(sorted(facts['problems']))}"


def _question_reminded(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"a reminder of question {facts['question']} went out on day {facts['day']}"


def _question_answered(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    if facts["answer"] == "unclear":
        return f"{names.actor(facts)} answered question {facts['question']} in words that were not understood"
    return f"{names.actor(facts)} answered question {facts['question']} with {facts['answer']}"


def _trust_granted(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    if not facts["host"]:
        return f"{names.actor(facts)} let mail to {facts['domain']} go without TLS"
    return f"{names.actor(facts)} let mail to {facts['domain']} go to {facts['host']} with the key it has"


def _trust_revoked(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} took back the trust in {facts['domain']}"


def _sts_policy_cached(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{facts['domain']} has an MTA-STS policy ({facts['mode']}) for {listed(facts['mx'])}"


def _dkim_key_added(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} added DKIM key {facts['selector']} for {facts['domain']}"


def _srs_key_added(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} made the key by which bounces of forwarded mail are known"


def _tls_judged(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    said = [f"{one.get('host') or one['of']}: {one.get('result', 'good')}" for one in facts["sessions"]]
    return f"TLS on the way to {facts['domain']} was looked at ({', '.join(said)})"


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.QUESTION_ASKED, _question_asked),
    (events.QUESTION_REMINDED, _question_reminded),
    (events.QUESTION_ANSWERED, _question_answered),
    (events.TRUST_GRANTED, _trust_granted),
    (events.TRUST_REVOKED, _trust_revoked),
    (events.STS_POLICY_CACHED, _sts_policy_cached),
    (events.DKIM_KEY_ADDED, _dkim_key_added),
    (events.SRS_KEY_ADDED, _srs_key_added),
    (events.TLS_JUDGED, _tls_judged),
)
