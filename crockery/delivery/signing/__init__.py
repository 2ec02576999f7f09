"""DKIM signatures on what leaves: mail whose From is ours, made by an account or by Crockery (RFC 6376).

A forward is not signed: its author's signature must stay the one that counts.

    signature   the fields for one message (pure)
    keys        the keys in the log, and what they sign
    task        who signs: a thread, or where much leaves at once a process
    process     the process as the server sees it, and what the two say to each other
    child       the same from inside: `python -m crockery.delivery.signing.child`

Signing takes 0.35 ms, as long as all else that is done to send a small mail. Most of it is one RSA operation, in which
a thread lets others run; but each time it takes up Python's lock again the event loop waits, and so a thread beside it
cost more than half of what could be sent.
"""
