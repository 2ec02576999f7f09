"""The mail that tells an account that it is nearly full, or full."""

from crockery.assistant.letter import Letter
from crockery.assistant.wording import spell_octets
from crockery.projections.quota import FULL, Quota


def quota_letter(step: int, used: Quota, limit: Quota, lacking: int = 0) -> Letter:
    """`step` is the per cent reached: 80, 95 or 100; `lacking` octets had a mail that was not taken (0: none was)."""
    shares = []
    if limit.storage:
        shares.append(f"{spell_octets(used.storage)} of {spell_octets(limit.storage)}")
    if limit.messages:
        shares.append(f"{used.messages:,} of {limit.messages:,} messages")
    holds = f"Your mailboxes hold {' and '.join(shares)}."
    advice = "Delete mails that you do not need any more, or move them to another place, and empty the trash."
    if lacking:
        subject = "Your mail account has no room for a mail"
        size = f" of {spell_octets(lacking)}" if lacking > 1 else ""
        effect = (
            f"A mail{size} that somebody sends you does not fit, and is not taken. The server that it comes from tries "
            "again for some days, so nothing is lost if you make room soon."
        )
    elif step >= FULL:
        subject = "Your mail account is full"
        effect = (
            "It is full: mail that people send you is not taken any more. Their servers try again for some days, so "
            "nothing is lost if you make room soon."
        )
    else:
        subject = f"Your mail account is {step} % full"
        effect = "When it is full, mail that people send you is not taken any more."
    return Letter(subject, [holds, effect, advice, "Whoever runs this server can also allow you more."])
