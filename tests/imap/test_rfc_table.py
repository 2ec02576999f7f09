"""tests/data/rfc/imap.tsv says which RFCs of IMAP are there: it is true of what the server offers, and of the tests."""

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.dialog import logged_in
from tests.support.server import running_server

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests" / "data" / "rfc" / "imap.tsv"


class Row(NamedTuple):
    """One RFC."""

    number: str
    title: str
    capability: str
    """Its capabilities, separated by blanks; none for some."""
    state: str
    """yes, or no."""
    test: str
    """The file where its examples are."""


def read_table() -> list[Row]:
    with TABLE.open(newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    assert tuple(header) == Row._fields
    return [Row(*row) for row in rows]


@pytest.mark.parametrize("row", read_table(), ids=lambda row: row.number)
def test_row(row: Row) -> None:
    assert row.state in ("yes", "no")
    assert bool(row.test) == (row.state == "yes")
    assert (ROOT / row.test).exists(), "its examples are tests"


def test_in_order_and_once() -> None:
    numbers = [int(row.number) for row in read_table()]
    assert numbers == sorted(set(numbers))


async def test_what_is_offered_is_what_the_table_says(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server:
        client = await logged_in(server, "anna")
        await client.send(b"a CAPABILITY\r\n")
        offered = (await client.line()).split()[2:]
        await client.close()
    rows = read_table()
    said = [name for row in rows if row.state == "yes" for name in row.capability.split()]
    assert sorted(offered) == sorted(said)
    assert not set(offered) & {name for row in rows if row.state == "no" for name in row.capability.split()}
