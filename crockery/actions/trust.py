"""Actions on trust in the way to other domains: grants, revocations, MTA-STS policies seen."""

from collections.abc import Mapping
from typing import Any

from crockery.actions.actor import Actor
from crockery.actions.errors import Reason, Refused
from crockery.actions.store import Atom, Store
from crockery.events.types import Event
from crockery.events.types.trust import STS_POLICY_CACHED, TRUST_GRANTED, TRUST_REVOKED
from crockery.projections.trust import Grant, StsPolicy


def add_grant(
    atom: Atom, account: int, domain: str, problem: Mapping[str, Any], *, question: int = 0, cmd: str = ""
) -> int:
    """Trust what was seen at a recipient domain: the key shown, or, where there is no TLS, plain delivery.

    `problem` as in `events.types.queue.Problem`. Returns the grant's number, in the atom. Raises Refused where the
    domain's own policy is broken.
    """
    if problem["kind"] == "policy":
        raise Refused(Reason.CANNOT, f"{domain} itself says how mail must reach it, and nobody else can allow more")
    spki = problem.get("spki", "")
    facts: dict[str, object] = {
        "by": atom.by,
        "account": account,
        "domain": domain,
        "host": problem["host"] if spki else "",
        "spki": spki,
    }
    facts |= {name: value for name, value in (("question", question), ("cmd", cmd)) if value}
    if spki and problem.get("names"):
        facts["names"] = list(problem["names"])
    return atom.add(TRUST_GRANTED, facts)


def add_plain_grant(atom: Atom, account: int, domain: str, *, cmd: str = "") -> int:
    """Mail to the domain may go without TLS, as a part of an atom; returns the grant's number."""
    facts: dict[str, object] = {"by": atom.by, "account": account, "domain": domain, "host": "", "spki": ""}
    return atom.add(TRUST_GRANTED, facts | ({"cmd": cmd} if cmd else {}))


def grant_plain(store: Store, actor: Actor, domain: str, *, cmd: str = "") -> int:
    """Mail to the domain may go without TLS. Returns the grant's number. Raises Refused where it may already."""
    if store.state.trust.allows_plain(domain):
        raise Refused(Reason.ALREADY_EXISTS, f"mail to {domain} may go without encryption already")
    atom = store.atom(actor)
    number = add_plain_grant(atom, actor.account, domain, cmd=cmd)
    atom.commit()
    return number


def revoke_trust(store: Store, actor: Actor, domain: str, *, cmd: str = "") -> list[Grant]:
    """Nothing is granted for the domain any more. Returns what was. Raises Refused where nothing was."""
    grants = store.state.trust.of_domain(domain)
    if not grants:
        raise Refused(Reason.NONEXISTENT, f"nothing is granted for {domain}")
    atom = store.atom(actor)
    add_revocation(atom, grants, cmd=cmd)
    atom.commit()
    return grants


def add_revocation(atom: Atom, grants: list[Grant], *, cmd: str = "") -> None:
    """These grants, all for one domain, hold no more; as a part of an atom."""
    facts: dict[str, object] = {"by": atom.by, "grants": [grant.id for grant in grants], "domain": grants[0].domain}
    atom.add(TRUST_REVOKED, facts | ({"cmd": cmd} if cmd else {}))


def cache_policy(store: Store, policy: StsPolicy) -> None:
    """Note a domain's MTA-STS policy as it was fetched. Raises LogFull."""
    facts = {
        "domain": policy.domain,
        "id": policy.id,
        "mode": policy.mode,
        "mx": list(policy.mx),
        "max_age": policy.max_age,
        "fetched": policy.fetched,
    }
    store.log.append([Event(STS_POLICY_CACHED, facts)])
