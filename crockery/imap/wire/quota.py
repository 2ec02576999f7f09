"""GETQUOTA, GETQUOTAROOT, SETQUOTA and their responses (RFC 9208)."""

from collections.abc import Iterable
from dataclasses import dataclass

from crockery.imap.wire.cursor import NUMBER64_MAX, Cursor
from crockery.imap.wire.render import render_astring, render_mailbox


@dataclass(frozen=True, slots=True)
class GetQuota:
    """GETQUOTA."""

    root: str


@dataclass(frozen=True, slots=True)
class SetQuota:
    """SETQUOTA; resources in upper case, whether known or not, with their limits."""

    root: str
    limits: tuple[tuple[str, int], ...]


def parse_get_quota(cursor: Cursor) -> GetQuota:
    """`getquota = "GETQUOTA" SP quota-root-name`, `quota-root-name = astring`"""
    cursor.space()
    return GetQuota(cursor.utf8_string())


def parse_set_quota(cursor: Cursor) -> SetQuota:
    """`setquota = "SETQUOTA" SP quota-root-name SP setquota-list`

    `setquota-list = "(" [setquota-resource *(SP setquota-resource)] ")"`
    """
    cursor.space()
    root = cursor.utf8_string()
    cursor.space()
    return SetQuota(root, cursor.items(_resource, empty=True))


def _resource(cursor: Cursor) -> tuple[str, int]:
    """`setquota-resource = resource-name SP resource-limit`, `resource-limit = number64`"""
    name = cursor.word("resource")
    cursor.space()
    return name, cursor.number(NUMBER64_MAX)


def render_quota(root: str, resources: Iterable[tuple[str, int, int]]) -> bytes:
    """`quota-response = "QUOTA" SP quota-root-name SP quota-list`: name, usage, limit each; none are limited: `()`."""
    items = [b"%b %d %d" % (name.encode("ascii"), used, most) for name, used, most in resources]
    return b"* QUOTA %b (%b)\r\n" % (_root(root), b" ".join(items))


def render_quota_root(mailbox: str, roots: Iterable[str], *, utf8: bool = False) -> bytes:
    """`quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)`"""
    return b" ".join([b"* QUOTAROOT", render_mailbox(mailbox, utf8=utf8), *map(_root, roots)]) + b"\r\n"


def _root(root: str) -> bytes:
    return render_astring(root.encode("utf-8"))
