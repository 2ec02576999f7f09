"""From the queue to other servers: when, over which connection, and what is told of it.

    backoff      when a recipient is tried again
    timetable    numbers of messages by time (pure)
    agenda       what is due when, by destination (pure)
    outcomes     replies and failures as outcomes of recipients (pure)
    ways         what a connection to another server is to the sender, and why there is none
    connecting   from an address to a server that was greeted, in TLS if it has any
    exchange     the client's protocol and the stream under it, with deadlines
    dial         a connection to a server of a domain, judged by `delivery.tls`
    smart_host   the one server that all mail is handed to, if the owner says so
    sender       one message over one connection
    scheduler    which message when, over how many connections
    here         mail in the queue for addresses of ours
    reports      a recipient as a notice tells of it (pure)
    notices      delivery status notifications for what is owed

Invariants. Whatever is attempted is due by durable events. AttemptBegun is durable before the final dot leaves; the
outcome follows it. No attempt begins without room for its outcome in the log. What waits for a slow or dead destination
takes no place from others for long. Giving up, and letting go what was held until a time, wait while the clock is
unproven.
"""
