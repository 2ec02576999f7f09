"""The mail that tells the postmaster that the log is a copy, and that mail in it waits for a word."""

from crockery.assistant.letter import Letter, Listing


def restored_letter(still: int) -> Letter:
    """`still`: messages that stand still."""
    count = "One message was" if still == 1 else f"{still:,} messages were"
    return Letter(
        "Brought back from a backup: mail waits for your word",
        [
            "This mail server has been started from a copy of its log. Mail comes in as ever, and new mail goes out.",
            f"{count} waiting to be sent when the copy was made. The server that the copy is of may have sent that "
            "mail since; from here that cannot be known. So that nobody gets anything twice, it stands still until you "
            "decide. To see what there is:",
            Listing(("crockery queue list",)),
            "If that server was lost soon after the copy was made, let the mail go. Some may arrive a second time:",
            Listing(("crockery queue release send",)),
            "If it went on for a good while, or if it still runs and this is only a trial, drop what waits. Who wrote "
            "it is not told:",
            Listing(("crockery queue release drop",)),
        ],
    )
