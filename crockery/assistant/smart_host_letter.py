"""The mail that tells the owner that outgoing mail waits, because the smart host does not take it."""

from crockery.assistant.letter import Letter, Listing
from crockery.projections.smart_host import LOGIN, TLS, SmartHost, Trouble


def smart_host_letter(smart: SmartHost, trouble: Trouble, waiting: int) -> Letter:
    """`waiting`: messages in the queue."""
    if trouble.why == LOGIN:
        subject = f"Outgoing mail waits: {smart.host} does not accept the login"
        problem = (
            f"All outgoing mail of this server goes by the smart host {smart.name}, and it does not accept our login"
            + (f' (user name "{smart.user}").' if smart.user else ": it wants a user name and a password.")
        )
        advice = "Set the user name and the password again; whatever waits is sent at once:"
        user = smart.user or "NAME"
    else:
        subject = f"Outgoing mail waits: there is no secure way to {smart.host}"
        problem = f"All outgoing mail of this server goes by the smart host {smart.name}, and it cannot go there now."
        if trouble.why == TLS:
            problem += " Without verified encryption, neither mail nor your password is sent to it."
        advice = "See that the name and the port are right, and that its certificate is good; or set another one:"
        user = smart.user
    count = "One message waits" if waiting == 1 else f"{waiting:,} messages wait"
    options = " --starttls" * (smart.tls == "starttls") + (f" --user {user}" if user else "")
    command = f"crockery smart-host {smart.host} --port {smart.port}{options}"
    return Letter(
        subject,
        [
            problem,
            "This is what happened:",
            Listing((trouble.text,)),
            f"{count} in the queue. Nothing is lost: it is tried again and again, and each message is given up a week "
            "after it was written.",
            advice,
            Listing((command,)),
            "To do without a smart host, so that mail goes to the servers of its recipients:",
            Listing(("crockery smart-host off",)),
        ],
    )
