"""The mail that tells an account that it is nearly full, or full."""

from crockery.assistant.letter import Letter
from crockery.projections.quota import Quota


def quota_letter(step: int, used: Quota, limit: Quota) -> Letter:
    """`step` is the per cent reached: 80, 95 or 100."""
    shares = []
    if limit.storage:
        shares.append(f"{_mebibytes(used.storage)} of {_mebibytes(limit.storage)} MiB")
    if limit.messages:
        shares.append(f"{used.messages:,} of {limit.messages:,} messages")
    holds = f"Your mailboxes hold {' and '.join(shares)}."
    advice = "Delete mails that you do not need any more, or move them to another place, and empty the trash."
    if step >= 100:
        subject = "Your mail account is full"
        effect = (
            "It is full: mail that people send you is not taken any more. Their servers try again for some days, so "
            "nothing is lost if you make room soon."
        )
    else:
        subject = f"Your mail account is {step} % full"
        effect = "When it is full, mail that people send you is not taken any more."
    return Letter(subject, [holds, effect, advice, "Whoever runs this server can also allow you more."])


def _mebibytes(octets: int) -> str:
    return f"{octets / (1 << 20):,.1f}"
