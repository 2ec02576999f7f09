"""From accepted to delivered: who gets a mail, what is refused, what is added to it, what waits in the queue.

No socket, and no await on the way in. A server (SMTP; later the web) makes an `Envelope`, asks the `Policy` of its port
at each step, feeds the message to an `Intake`, and at its end calls `accept`, which appends one atom for all
recipients: local ones and those elsewhere. What it returns may be told to the peer once the log is durable up to
`store.log.head`.

    envelope     who hands a mail in, and for whom
    recipients   which accounts an address reaches; which addresses an account may send as
    policy       a policy is three lists of small checks and one edit of the header
    inbound      the policy of the MX port: strangers, local recipients only
    submission   the policy of the submission ports: people with accounts (RFC 6409)
    header       the fields of a message's header, read once
    intake       a message as it comes in: header held and edited, the rest streamed to the log
    trace        Return-Path, Delivered-To and Received of one recipient
    destinations where recipients lead: mailboxes, forwards, other servers, Crockery itself
    forwarding   mail that goes on because an alias or an account says so; srs makes its reverse-paths
    keeping      what a forward must not let go on, and the letter to its owner
    answers      Crockery's own address
    accept       the atom
    routes       where mail for a domain goes: its MX hosts, best first
    tls          what counts as secure on the way out
    signing      DKIM on what leaves
    sending      from the queue to other servers

A verdict is a `Reply` of the table in `smtp.wire.replies`, or None: nothing against it. The web shows the same texts.

Choices. Local parts are compared without case, domains as A-labels. Address literals are not ours on the MX port, not
even those of our own addresses: nobody but spammers uses them (RFC 5321 section 4.1.3 asks for no more than to parse
them); from an account they go to the queue as any other domain does. A disabled account still gets its mail. The
account that has the wildcard gets mail to unknown names but does not send as them. A copy for the sender's Sent is the
client's business.

A message is sent once its time has come, to all its recipients or to none: a held submission waits in the queue for the
local ones too. Who wants to be told that mail arrived here (NOTIFY=SUCCESS) is told through the queue as well, where it
is delivered from the start: so he is told once, whatever happens. Notices of success go to whomever a stranger
names as the sender, as RFC 3461 has it.
"""
