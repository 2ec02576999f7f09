"""Crockery: the mail server for one domain. One program, one file.

The one idea: everything that happens is an event in one append-only log (`events`); all that is known is a fold of it
(`projections`), held in memory; only `actions` write. Nobody outside is told of anything before it is on disk. Backup
is copying the file; upgrade is replay.

Rooms, from the outside in (each imports only what stands below it; import-linter checks):

    cli           the `crockery` command; asks the running server over LOG.sock, or opens the log itself
    app           the composition root: open the log, build the services, one nursery a lifetime, an orderly stop
    smtp, imap    Trio servers over sans-IO protocols; `smtp.wire` and `imap.wire` turn octets into commands and back
    web           HTTP: today the control API that the command line speaks
    assistant     conversation by mail: the questions Crockery asks, and what people answer
    domain        what the outside must know of us: DKIM keys, the DNS records to publish, whether the world sees them
    delivery      from accepted to delivered: who gets a mail, what is refused, what is queued, sending it on
    followers     the derived files, kept up behind the log: facts, structure, text, snapshots
    actions       intents to events, one atom each; synchronous, so atomic under Trio
    projections   read models; `state.State` is all core ones, the files `structure` and `text` are made of bodies
    trust         what a message proves of where it comes from: DKIM
    events        the log: its format (the docstring there), append, group commit, recovery, verify, backup
    message       RFC 5322 and MIME, pure: byte ranges, structure, text, edits, composing
    sasl          PLAIN, LOGIN, SCRAM-SHA-256, sans-IO
    children      programs of ours on another core, told over pipes: rows of derived files, signatures
    net           connections, TLS, logins, limits per peer, deadlines, DNS; serves all above `actions`
    limits        every size, count and time limit by name

The way of a message in. `net.listeners` accepts a connection and hands it to `smtp.server.serve_smtp`, which feeds what
it receives to `smtp.wire.server` and acts on the events that come out. Recipients are looked up by `delivery`
in `projections.accounts`. The message's octets stream through `delivery` (header edits of `message.edit`, trace header
fields of `smtp.wire.received`) into `actions.incoming`, which compresses them into frames. At the end of data
`actions.mail.deliver` makes one atom of MessageReceived events (one a recipient, the body kept once) and MessageQueued,
and `events.log.Log.append` gives them numbers, applies them to the projections and queues the octets. The session waits
for `events.writer.Writer.wait_durable`; one writev and one fdatasync later it says 250.

The way of a read out. `imap.server.serve_imap` feeds `imap.wire.framer`; `imap.wire.parser` makes a Command, and the
verb's file in `imap.verbs` does it. FLAGS, sizes and dates come from the mailbox's columns (`projections.columns`);
ENVELOPE and BODYSTRUCTURE from the derived file of `projections.structure`, ready to send; BODY[] from
`events.log.Log.read_message`, cut to the section by `message.sections`. SEARCH looks at the columns, then for words in
the derived file of `projections.text`. What is rendered carries the position of the
newest event it was read from, and leaves when that is durable. Other sessions that have the mailbox selected are woken
by `net.changes` and tell their clients from the difference between their own view (`imap.selected`) and the columns.

The way of a message to another server. `delivery.submission` checks that the sender may write so,
`delivery.destinations` says which recipients are not ours, and the MessageQueued of the same atom names them;
`projections.queue` folds it. `delivery.sending.agenda` is the index of what is due, by destination; `scheduler` takes
messages from it, `dial` asks `delivery.routes` for the hosts and `delivery.tls` how good a connection to each of them
is, `sender` has it signed (`delivery.signing`) and sends over the sans-IO client of `smtp.wire`. An attempt is written
before its final dot and its outcome after the reply, so a crash can double a message only between the two. `notices`
writes the DSNs, as mail that goes the same ways as any other.

The conversation. A recipient for whom no secure way exists is held, an event that `app.asking` waits for:
`assistant.conversation.asking` builds the letter (`assistant.questions`), and one atom holds the question, its token,
and the letter in the sender's mailbox. The answer comes by submission to crockery+TOKEN@; `delivery.answers` finds
the question, `assistant.conversation.answering` reads it (`assistant.answers`), and does and confirms it in one atom
before the sender's program is told 250.

The way back after a crash. `events.opening` replays the log (or the newest snapshot and what came after), cuts what
no frame calls durable and does not verify, refuses what is damaged; see `events.recover`.
"""

__version__ = "0.1.0"
