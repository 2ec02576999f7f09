"""README shows what is really written."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_letter_in_the_readme_is_the_one_that_is_sent() -> None:
    letter = (ROOT / "tests/data/letters/ask-certificate-other-name.txt").read_text().rstrip().splitlines()
    quoted = "\n".join(f"    {line}".rstrip() for line in letter)
    assert quoted in (ROOT / "README.md").read_text()
