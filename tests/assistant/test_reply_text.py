"""What is new in replies as mail programs write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crockery.assistant.html_text import html_to_text
from crockery.assistant.languages import LANGUAGES
from crockery.assistant.reply_text import new_lines, strip_quotations

QUESTION = """Your message "Minutes" has not been sent to bob@shady.net yet.

If you would rather decide now, just answer this mail with one of
these:

  cancel            Do not send it.
  send
"""
QUOTED = "".join(f"> {line}".rstrip() + "\n" for line in QUESTION.split("\n"))

TEXTS = {
    "nothing quoted": ("send\n", ["send"]),
    "Thunderbird, below": (f"On 22.11.26 17:12, Crockery wrote:\n{QUOTED}\n\nsend\n", ["send"]),
    "Thunderbird, above": (f"send\n\nOn 22.11.26 17:12, Crockery wrote:\n{QUOTED}", ["send"]),
    "Gmail": (
        f"send\n\nOn Sun, Nov 22, 2026 at 5:12 PM Crockery <crockery+aaaa@example.com>\nwrote:\n\n{QUOTED}", ["send"],
    ),
    "Gmail, three lines": (
        f"send\n\nOn Sun, Nov 22, 2026 at 5:12 PM Crockery, the mail server of a\nlong-named.example.com <crockery@ex"
        f"ample.com>\nwrote:\n\n{QUOTED}", ["send"],
    ),
    "Apple Mail": (f"send\n\nAnna\n\n> On 22 Nov 2026, at 17:12, C <c@x.test> wrote:\n>\n{QUOTED}", ["send", "Anna"]),
    "Outlook": (
        f"Send\n\nFrom: Crockery <crockery@example.com>\nSent: Sunday, November 22, 2026 5:12 PM\nTo: Anna\n"
        f"Subject: Not sent yet\n\n{QUESTION}", ["Send"],
    ),
    "Outlook with a rule": (
        "Send\n\n________________________________\nFrom: Crockery <crockery@example.com>\nSent: Sunday\nTo: Anna\n\n"
        f"{QUESTION}", ["Send"],
    ),
    "Outlook, bold": (f"Send\n\n*From:* Crockery\n*Sent:* Sunday\n*To:* Anna\n{QUESTION}", ["Send"]),
    "old Outlook": (f"Send\n\n-----Original Message-----\nFrom: Crockery\n{QUESTION}", ["Send"]),
    "German Outlook": (f"send\n\nVon: Crockery\nGesendet: Sonntag, 22. November\nAn: Anna\n{QUESTION}", ["send"]),
    "old German Outlook": (f"send\n\n-----Ursprüngliche Nachricht-----\nVon: Crockery\n{QUESTION}", ["send"]),
    "French Outlook": (f"send\n\nDe : Crockery\nEnvoyé : dimanche\nÀ : Anna\n{QUESTION}", ["send"]),
    "German": (f"send\n\nAm 22.11.26 um 17:12 schrieb Crockery:\n{QUOTED}", ["send"]),
    "French": (f"send\n\nLe dim. 22 nov. 2026 à 17:12, Crockery <c@x.test> a écrit :\n{QUOTED}", ["send"]),
    "Finnish, which is not in the table": (f"send\n\nCrockery kirjoitti 22.11.2026 klo 17:12:\n{QUOTED}", ["send"]),
    "no marks after wrote": (f"send\n\nOn Sunday, Crockery wrote:\n{QUESTION}", ["send"]),
    "iPhone": (f"Send\n\nSent from my iPhone\n\n> On 22 Nov 2026, at 17:12, Crockery wrote:\n{QUOTED}", ["Send"]),
    "iPhone without an answer": (f"\n\nSent from my iPhone\n\n> On 22 Nov 2026, at 17:12, C wrote:\n{QUOTED}", []),
    "signature": ("cancel\n\n-- \nAnna\nsend\n", ["cancel"]),
    "signature without the blank": ("cancel\n--\nsend", ["cancel"]),
    "forwarded": ("see below\n\nBegin forwarded message:\n\nFrom: Crockery\nsend", ["see below"]),
    "in between": ("> cancel   Do not send it.\n\nno\n\n> send\n\nsend\n", ["no", "send"]),
    "a quoted line broken in two": ("> " + "x" * 66 + "\nsend\n> more\n", []),
    "a quoted line broken in two, and an answer": ("> " + "x" * 66 + "\nsend\n> more\n\ncancel", ["cancel"]),
    "answered right below": ("> send\nsend", ["send"]),
    "only quoted": (QUOTED, []),
    "quoted twice": (">> send\n>>> cancel\n > send\n", []),
    "without any marks": (QUESTION, [
        'Your message "Minutes" has not been sent to bob@shady.net yet.',
        "If you would rather decide now, just answer this mail with one of", "these:",
        "cancel            Do not send it.", "send",
    ]),
    "a colon is no attribution": ("Dear all:\nsend", ["Dear all:", "send"]),
    "empty": ("", []),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_texts(name: str, newline: str) -> None:
    text, expected = TEXTS[name]
    assert [line for line in strip_quotations(text.replace("\n", newline), LANGUAGES) if line] == expected


HTML = {
    "Gmail": (
        '<div dir="ltr">Send</div><br><div class="gmail_quote"><div dir="ltr">On Sun, Crockery &lt;c@x.test&gt; wrote:'
        "<br></div><blockquote><p>Your message</p><p>cancel</p></blockquote></div>", ["Send"],
    ),
    "Outlook": (
        "<html><head><style>p{x:y}</style></head><body><p class=MsoNormal>Send<o:p></o:p></p><div><div style='border:"
        "solid #E1E1E1 1.0pt'><p><b>From:</b> Crockery<br><b>Sent:</b> Sunday<br><b>To:</b> Anna</p></div></div>"
        "<p>cancel</p></body></html>", ["Send"],
    ),
    "Apple Mail": (
        "<body>cancel<br><div><br><blockquote type=cite><div>On 22 Nov, Crockery wrote:</div><div>send</div>"
        "</blockquote></div></body>", ["cancel"],
    ),
    "struck out": ("<p><s>send</s> cancel</p>", ["cancel"]),
    "struck out by style": ('<p><span style="text-decoration: line-through">send</span></p>', ["~send"]),
    "entities and blanks": ("<p>trust&nbsp;shady&#46;net\n  please</p>", ["trust shady.net please"]),
    "a word in pieces": ("<p>se<b>n</b>d <i>it</i></p>", ["send it"]),
    "comments and scripts": ("<!-- cancel --><script>cancel</script><title>cancel</title>send", ["send"]),
    "lines": ("<div>Hi,</div><div><br></div><div>send</div><ul><li>a<li>b</ul>", ["Hi,", "send", "a", "b"]),
    "damaged": ("send <", ["send <"]),
    "never closed": ("<p>send<!-- cancel", ["send"]),
    "a tag never closed": ("<p>send<b cancel", ["send"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HTML)
def test_html(name: str) -> None:
    html, expected = HTML[name]
    mail = f"From: a@b.test\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode()
    assert [line for line in new_lines(mail, LANGUAGES) if line] == expected


def parts(*entities: str, subtype: str = "alternative") -> bytes:
    body = "".join(f"--b\r\n{entity}\r\n" for entity in entities)
    return f'Content-Type: multipart/{subtype}; boundary="b"\r\n\r\n{body}--b--\r\n'.encode()


PLAIN = "Content-Type: text/plain\r\n\r\n"
RICH = "Content-Type: text/html\r\n\r\n"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (parts(f"{PLAIN}send", f"{RICH}<p>cancel</p>"), ["send"]),
        (parts(f"{PLAIN}send", f"{RICH}<p><s>send</s></p>"), []),
        (parts(f"{PLAIN} \r\n", f"{RICH}<p>cancel</p>"), ["cancel"]),
        (parts(f"{PLAIN}> send\r\n", f"{RICH}<blockquote>send</blockquote><p>cancel</p>"), ["cancel"]),
        (parts(f"{RICH}<p>cancel</p>", f"{PLAIN[:-4]}\r\nContent-Disposition: attachment\r\n\r\nsend"), ["cancel"]),
        (parts(f"Content-Type: message/rfc822\r\n\r\n{PLAIN}send", subtype="mixed"), []),
        (parts("Content-Type: image/png\r\n\r\nsend", subtype="mixed"), []),
        (PLAIN.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode() + b"c2VuZA==", ["send"]),
        (b"\r\nsend", ["send"]),
        (b"", []),
    ],
    ids=[
        "plain first",
        "struck out",
        "empty plain",
        "only quoted",
        "attachment",
        "forwarded",
        "picture",
        "base64",
        "bare",
        "empty",
    ],
)
def test_which_part(mail: bytes, expected: list[str]) -> None:
    assert [line for line in new_lines(mail, LANGUAGES) if line] == expected


@given(st.text(max_size=200), st.text("<>/!-spanblockquote& ", max_size=80))
def test_anything(text: str, html: str) -> None:
    strip_quotations(text, LANGUAGES)
    html_to_text(html)


BOMBS = {
    "tags": "<" * 200_000,
    "comments": "<!--" * 50_000,
    "scripts": "<script>" * 30_000,
    "quotes": "<blockquote>" * 20_000 + "x",
    "attributions": "On a wrote\n" * 20_000,
    "long attributions": ("On " + "x <a@b" * 60 + ":\n") * 600,
    "headers": "From: x\n" * 30_000,
    "rules": "-" * 200_000,
    "blanks": " " * 200_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_time(name: str) -> None:
    for kind in (b"plain", b"html"):
        started = time.process_time()
        new_lines(b"Content-Type: text/%b\r\n\r\n" % kind + BOMBS[name].encode(), LANGUAGES)
        assert time.process_time() - started < 1
