"""A letter becomes a mail: from Crockery, to one of our accounts, in the thread of the message that it is about.

Its reverse-path is null, which the caller sees to; it is marked as automatic (RFC 3834 §5) and answers to it go to the
address with its token.
"""

from crockery.assistant.facts import Addressing, Original
from crockery.assistant.letter import Letter, render_html, render_text
from crockery.assistant.tokens import token_address
from crockery.message.compose import Draft, Mailbox, compose
from crockery.projections.accounts import CROCKERYS_NAME
from crockery.smtp.wire.address import display_domain


def compose_letter(letter: Letter, addressing: Addressing, original: Original | None, *, is_reply: bool) -> bytes:
    """The whole message.

    Args:
        original: the message it is about, whose thread it joins.
        is_reply: whether it answers a mail of the account's ("auto-replied"), or comes of itself ("auto-generated").
    """
    answer_to = token_address(addressing.token, addressing.domain) if addressing.token else ""
    signature = f"Crockery, the mail server of {display_domain(addressing.domain)}"
    in_reply_to = original.message_id if original else ""
    thread = [*original.references, in_reply_to] if original and in_reply_to else []
    return compose(
        Draft(
            sender=Mailbox(f"{CROCKERYS_NAME}@{addressing.domain}", "Crockery"),
            to=[addressing.to],
            subject=letter.subject,
            date=addressing.date,
            zone=original.zone if original else 0,
            message_id=addressing.message_id,
            text=render_text(letter, signature),
            html=render_html(letter, signature, answer_to),
            reply_to=[Mailbox(answer_to, "Crockery")] if answer_to else [],
            in_reply_to=in_reply_to,
            references=thread,
            fields=[("Auto-Submitted", "auto-replied" if is_reply else "auto-generated")],
        )
    )
