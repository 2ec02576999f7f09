"""What is read of people's answers: the table in tests/data/answers.txt."""

import dataclasses
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.assistant.answers import Answer, read_answer, read_lines
from crockery.assistant.languages import LANGUAGES
from crockery.assistant.languages.english import ENGLISH
from crockery.assistant.verbs import Verb

TABLE = Path(__file__).parent.parent / "data" / "answers.txt"
ROWS = [
    line.split("\t", 1)
    for line in TABLE.read_text("utf-8").split("\n")
    if line and not line.startswith("# ")
]  # fmt: skip


def shown(answer: Answer) -> str:
    return f"{answer.verb or '?'} {answer.domain}".strip()


@pytest.mark.parametrize(("expected", "text"), ROWS, ids=[text or "nothing" for _, text in ROWS])
def test_table(expected: str, text: str) -> None:
    assert shown(read_lines(text.split("|"), names={"anna"})) == expected


@pytest.mark.parametrize(("expected", "text"), ROWS, ids=[text or "nothing" for _, text in ROWS])
def test_table_as_mail(expected: str, text: str) -> None:
    body = text.replace("|", "\r\n") + "\r\n\r\nOn Sun, Crockery wrote:\r\n> cancel\r\n> send\r\n"
    mail = "From: anna@example.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body
    assert shown(read_answer(mail.encode())) == expected


@pytest.mark.parametrize(
    ("author", "signed", "expected"),
    [
        ("b.jones@example.test", "jones", Verb.SEND),
        ("=?utf-8?q?Ji=C5=99=C3=AD?= <j@example.test>", "Jiří", Verb.SEND),
        ("王伟 <w@example.test>", "王伟", Verb.SEND), ("Bob <b@example.test>", "Nie", None), ("", "Bob", None),
    ],
)  # fmt: skip
def test_one_word_below_must_be_the_name_of_who_writes(author: str, signed: str, expected: Verb | None) -> None:
    mail = f"From: {author}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsend\r\n\r\n{signed}\r\n"
    assert read_answer(mail.encode()).verb is expected


def test_what_decided_is_told() -> None:
    assert read_lines(["Hi,", "", " send me the bill "]) == Answer(None, "send me the bill")
    assert read_lines(["Send", "", "Bob will call"]) == Answer(None, "Bob will call")
    assert read_lines(["Thanks"]) == Answer(None, "Thanks")
    assert read_lines(["", " "]) == read_lines([]) == Answer(None, "")


def test_every_phrase_means_what_it_says() -> None:
    for language in LANGUAGES:
        assert not any(set(phrase.split()) & language.doubts for phrase in language.courtesy)
        for phrase, verb in language.phrases.items():
            text = phrase.replace("DOMAIN", "shady.net")
            assert read_lines([f"Yes, please {text}, thanks!"]).verb == verb, phrase
            assert read_lines([f"{text}?"]).verb is None
            assert read_lines([f"don't {text}"]).verb is None


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_text(lines: list[str]) -> None:
    answer = read_lines(lines)
    assert (answer.domain != "") == (answer.verb == Verb.TRUST)


words = st.sampled_from(["send", "cancel", "don't", "it", "please", "bill", "yes", "not", "trust", "a.test", "me", "?"])


@given(st.lists(words, min_size=1, max_size=6))
def test_a_foreign_word_is_never_passed_over(line: list[str]) -> None:
    answer = read_lines([" ".join(line)])
    if set(line) & {"don't", "bill", "not", "me", "?"}:
        assert answer.verb is None
    if {"send", "cancel"} <= set(line):
        assert answer.verb is None


def test_long_lines_take_no_time() -> None:
    started = time.process_time()
    for text in ("please " * 10**5, "." * 10**6, "👍." * 10**5, "a." * 10**5, "<http://" * 10**5):
        assert read_lines([text, "x"] * 3).verb is None
        read_lines(["send", *[text[:400]] * 500])
    assert time.process_time() - started < 5


def test_where_languages_disagree_it_is_asked_again() -> None:
    contrary = dataclasses.replace(ENGLISH, phrases={"send": Verb.CANCEL})
    assert read_lines(["send"], [ENGLISH]).verb == Verb.SEND
    assert read_lines(["send"], [ENGLISH, contrary]).verb is None
