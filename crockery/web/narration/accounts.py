"""Sentences for events of accounts, addresses, passwords and sessions."""

from collections.abc import Mapping
from typing import Any, Final

from crockery.events.types import accounts as events
from crockery.events.types.base import EventType
from crockery.web.narration.names import Names, Sentence
from crockery.web.words import listed, octets, plural


def _account_added(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    kind = "the postmaster's account" if facts["postmaster"] else "account"
    return f"{names.actor(facts)} added {kind} {facts['name']}"


def _account_removed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} removed account {facts['name']}"


def _account_disabled(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    verb = "disabled" if facts["disabled"] else "enabled"
    return f"{names.actor(facts)} {verb} account {names.account(facts['account'])}"


def _password_set(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    verb = "changed" if facts["replaces"] else "set"
    return f"{names.actor(facts)} {verb} the password of {names.account(facts['account'])}"


def _alias_added(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    was = f" (before: to {listed(facts['old'])})" if facts["old"] else ""
    return f"{names.actor(facts)} let mail for {facts['alias']} go to {listed(facts['targets'])}{was}"


def _alias_removed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} removed alias {facts['alias']} (it went to {listed(facts['old'])})"


def _forward_set(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    account = names.account(facts["account"])
    if not facts["address"]:
        return f"{names.actor(facts)} let mail for {account} no longer go on to {facts['old']}"
    where = "stays here and goes on" if facts["keep"] else "goes on"
    return f"{names.actor(facts)} set a forward: mail for {account} {where} to {facts['address']}"


def _wildcard_set(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    if facts["account"] is None:
        return f"{names.actor(facts)} let mail to unknown names be refused"
    return f"{names.actor(facts)} let mail to unknown names go to {names.account(facts['account'])}"


def _app_password_added(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} made app password {names.account(facts['account'])}/{facts['label']}"


def _app_password_removed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    return f"{names.actor(facts)} revoked app password {names.account(facts['account'])}/{facts['label']}"


def _app_password_used(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    app = names.apps.get(facts["app"])
    login = f"{names.account(app.account)}/{app.name}" if app else str(facts["app"])
    return f"app password {login} was used from {facts['peer']}"


def _session_opened(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    actor = names.describe(facts)
    if facts["protocol"] == "control":
        return f"{actor.who} gave commands" + (f" ({facts['client']})" if facts.get("client") else "")
    where = f" from {actor.peer}" if actor.peer else ""
    client = f" with {facts['client']}" if facts.get("client") else ""
    return f"{actor.who} began to change things{where} over {actor.protocol}{client}"


def _quota_changed(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    account = names.account(facts["account"])
    if facts["quota"] is None:
        return f"{names.actor(facts)} let {account} hold what the settings allow"
    storage, messages = facts["quota"]
    said = [octets(storage)] if storage else []
    said += [plural(messages, "message")] if messages else []
    return f"{names.actor(facts)} let {account} hold {' and '.join(said) or 'as much as the disk takes'}"


def _quota_told(names: Names, number: int, facts: Mapping[str, Any]) -> str:
    if not facts["step"]:
        return f"{names.account(facts['account'])} has room again"
    if facts.get("lacking"):
        return f"{names.account(facts['account'])} was told that mail found no room"
    return f"{names.account(facts['account'])} reached {facts['step']} % of its quota"


SENTENCES: Final[tuple[tuple[EventType, Sentence], ...]] = (
    (events.ACCOUNT_ADDED, _account_added),
    (events.ACCOUNT_REMOVED, _account_removed),
    (events.ACCOUNT_DISABLED, _account_disabled),
    (events.PASSWORD_SET, _password_set),
    (events.ALIAS_ADDED, _alias_added),
    (events.ALIAS_REMOVED, _alias_removed),
    (events.WILDCARD_SET, _wildcard_set),
    (events.APP_PASSWORD_ADDED, _app_password_added),
    (events.APP_PASSWORD_REMOVED, _app_password_removed),
    (events.APP_PASSWORD_USED, _app_password_used),
    (events.SESSION_OPENED, _session_opened),
    (events.QUOTA_CHANGED, _quota_changed),
    (events.QUOTA_TOLD, _quota_told),
    (events.FORWARD_SET, _forward_set),
)
