"""Every size, count and time limit: name, unit, default, reason.

Sizes are octets, times are seconds unless the name says otherwise. Code takes a limit from here by name at the place
where it is used, or as a constructor argument with the limit as default where tests need a smaller one.
"""

from typing import Final

KiB: Final = 1024
MiB: Final = 1024 * KiB

# --- What a mail may be, and how long it is kept (settings) ---
MAX_MESSAGE: Final = 50 * MiB
"""Octets of the largest mail accepted (setting max-message-size): what Gmail and Outlook take, and some."""

MAX_RECIPIENTS: Final = 1000
"""Recipients of one mail (setting max-recipients); RFC 5321 section 4.5.3.1.8 asks for at least 100."""

RETENTION_DAYS: Final = 30
"""Days that deleted mail can be brought back before its body is erased (setting retention-days)."""

# --- What settings may be changed to (actions/settings) ---
MIN_MESSAGE: Final = 64 * KiB  # octets; RFC 5321 §4.5.3.1.7: a server must take mail of this size
MIN_RECIPIENTS: Final = 100  # of one mail; RFC 5321 §4.5.3.1.8 asks for so many
MAX_RETENTION_DAYS: Final = 36_500  # a century: for ever
MAX_PER_DAY: Final = 10_000_000  # mails, or new recipients, of an account: as good as no limit
MAX_QUOTA: Final = 1 << 60  # octets or messages: more than there can be, and it fits the 63 bits of IMAP's QUOTA
MAX_DOMAIN_NAME: Final = 253  # characters; RFC 1035 §2.3.4: 255 octets with the first length and the root
MAX_OLD_DOMAINS: Final = 20  # domains of former times that are still received

# --- Accounts and mailboxes (actions) ---
MAX_LOCAL_PART: Final = 64  # octets, RFC 5321 §4.5.3.1.1
MAX_ALIAS_TARGETS: Final = 100  # accounts an alias goes to: one mail becomes so many copies
MAX_APP_PASSWORDS: Final = 50  # of one account
MAX_LABEL: Final = 32  # characters of an app password's label

MAX_MAILBOXES: Final = 10_000
"""Mailboxes of one account: LIST and memory stay bounded."""

MAX_SUBSCRIPTIONS: Final = 20_000
"""Subscribed names of one account (names need not exist)."""

MAX_MAILBOX_NAME: Final = 1024
"""Octets of a mailbox name, all levels together."""

MAX_MAILBOX_DEPTH: Final = 32
"""Levels of a mailbox name: creating one creates those above it."""

METADATA_VALUE_MAX: Final = 16 * KiB  # octets of one annotation; RFC 5464 §4.1 asks for 1024 at least
METADATA_ENTRIES_MAX: Final = 200  # annotations of one mailbox, or of the server for one account; the RFC asks for 10
METADATA_OCTETS_MAX: Final = 4 * MiB  # all annotations of one account, names and values: they are held in memory
QUOTA_LOOK: Final = 5.0  # seconds between two looks at how full accounts are: a mail in time is enough

# --- What an account may send (projections/submissions) ---
MAILS_PER_DAY: Final = 1000  # messages to other servers (setting max-mails-per-day): a stolen password sends no flood
NEW_RECIPIENTS_PER_DAY: Final = 200  # ... and whom it never wrote to before (setting max-new-recipients-per-day)
SUBMISSION_KNOWN: Final = 100_000  # recipients remembered of one account, some 100 octets each

# --- What is read of a hostile message (message) ---
MAX_PARSED_HEADER: Final = 1 * MiB
"""Octets of one header in which fields are looked for. The largest honest ones (thousands of recipients) stay below."""

MAX_MIME_DEPTH: Final = 100
"""Levels of multipart and message/rfc822 in one another. Deeper ones are opaque: no mail needs them, and the parser
recurses once or twice a level."""

MAX_MIME_PARTS: Final = 1000
"""Parts of one message. The last one holds all the rest: a BODYSTRUCTURE of more would serve only to burn memory."""

MAX_HYPHEN_LINES: Final = 1_000_000
"""Lines beginning with two hyphens compared with boundaries in one message: half a second; what follows is one part."""

MAX_PARAMETERS: Final = 100
"""Parameters of one Content-Type or Content-Disposition, continuations (RFC 2231) counted singly."""

MAX_ADDRESSES: Final = 10_000
"""Addresses read of one field. Honest fields end far below; the limit bounds the size of an ENVELOPE."""

MAX_REFERENCES: Final = 100
"""Message ids kept of one References field: the first, and the newest of the rest."""

MAX_ENVELOPE_TEXT: Final = 64 * KiB
"""Octets of one text (subject, display name, id ...) in ENVELOPE and BODYSTRUCTURE; longer ones are cut, since the
answers are kept in memory and a client gets the whole field from BODY[HEADER]."""

CHARSET_SAMPLE: Final = 4 * KiB
"""Octets shown to the charset detector: its time grows with them, its answer hardly gets better."""

MAX_SEARCHED_TEXT: Final = 8 * MiB
"""Decoded octets of one message in which SEARCH looks for words: bounds time and memory; books are smaller."""

DSN_WHOLE_MAX: Final = 1 * MiB
"""Octets of a message that comes back whole with a notice of failure (RET=FULL); of larger ones only the header."""

MAX_DSN_RECIPIENTS: Final = 1000
"""Recipients read of an incoming notice: no message of ours had more."""

DSN_STATUS_READ: Final = 1 * MiB  # octets of its part for programs; a thousand recipients take half
DSN_EXIM_READ: Final = 64 * KiB  # octets of a text in which each address is looked for
DSN_VALUE_READ: Final = 2000  # characters kept of one value
DSN_VALUE_MAX: Final = 1500  # characters of a value in our notices; what a remote says may be of any length
DSN_WORD_MAX: Final = 400  # ... and of what cannot be folded: lines end at 998 octets, a character may take 4 less 2
DSN_REPLY_LINES: Final = 12  # lines of what the other server said that people are shown; some tell long stories
DSN_REPLY_LINE: Final = 800  # octets of one of them
SUBJECT_READ: Final = 2000  # characters of a subject in which its base subject is looked for
DATE_READ: Final = 200  # octets looked at of a date; none is longer

PREVIEW_LENGTH: Final = 200  # characters, the figure that RFC 8970 recommends
PREVIEW_SEARCHED: Final = 64 * KiB  # octets of a text part in which the first words are looked for

# --- Conversations (message/conversation, projections/threads) ---
THREAD_REFERENCES: Final = 20
"""Message ids of References that are looked up when a mail comes in, nearest first, and the first of all."""

THREAD_KEYS: Final = 1 << 19
"""Keys of a generation in memory; two are kept, 16 MiB in all: a mail answers one among the last half a million."""

# --- SMTP: the server (smtp, smtp/wire) ---
SMTP_MAX_COMMAND_LINE: Final = 2 * KiB  # with CRLF; RFC 5321 §4.5.3.1.4 has 512, extensions add some 1000
SMTP_MAX_AUTH_LINE: Final = 12 * KiB  # with CRLF; RFC 4954 §4: a base64 line of a SASL exchange may be 12288 octets
SMTP_MAX_TEXT_LINE: Final = 1 * MiB  # line of a message; RFC 5321 asks for 998 at least, HTML mail reaches 100 KB
SMTP_MAX_PATH: Final = 256  # with brackets, RFC 5321 §4.5.3.1.3; bounds the local part too, VERP passes its 64
SMTP_MAX_DOMAIN: Final = 255  # RFC 5321 §4.5.3.1.2
SMTP_MAX_ENVID: Final = 100  # characters, RFC 3461 §4.4
SMTP_MAX_ORCPT: Final = 500  # characters, RFC 3461 §4.2
SMTP_MAX_HOLD: Final = 366 * 86400  # seconds a submission may be held before it is sent (RFC 4865): a birthday's year
SMTP_MAX_REPLY_LINE: Final = 512  # with code and CRLF, RFC 5321 §4.5.3.1.5
SMTP_MAX_MESSAGE: Final = MAX_MESSAGE  # as announced by SIZE
SMTP_MAX_RECIPIENTS: Final = MAX_RECIPIENTS  # per transaction
SMTP_MAX_TRANSACTIONS: Final = 10_000  # per connection; bulk senders keep one for long, who has more connects again
SMTP_MAX_HOPS: Final = 100  # Received fields of one message; RFC 5321 §6.3: a loop above 100
SMTP_COMMAND_TIMEOUT: Final = 300.0  # for one whole command; RFC 5321 §4.5.3.2.7: 5 minutes
SMTP_LOGIN_TIMEOUT: Final = 60.0  # ... on submission ports before login: programs log in at once
SMTP_DATA_TIMEOUT: Final = 180.0  # silence within a message; RFC 5321 §4.5.3.2.5: 3 minutes
SMTP_MESSAGE_TIMEOUT: Final = 3600.0  # one whole message: SMTP_MAX_MESSAGE at 15 KiB/s
SMTP_MAX_ERRORS: Final = 20  # 5yz replies in a connection: harvesters try many recipients, honest servers few bad ones
SMTP_MAX_AUTH_FAILURES: Final = 5  # failed logins in a connection; people retype once or twice
SMTP_MAX_IDLE_COMMANDS: Final = 1000  # commands between two mails, without accepted recipients: honest ones need ten
SMTP_OUTPUT_HELD: Final = 16 * KiB  # replies gathered and not yet sent: EHLO answers with forty times what it costs

# --- Mail on its way in (delivery) ---
INTAKE_HOLD: Final = 64 * KiB  # a message up to this is dealt with as a whole; most mail is a tenth of it
INTAKE_MAX_HEADER: Final = MAX_PARSED_HEADER  # one header: all that is read of it, and so all that is checked
INTAKE_REPORT: Final = 128 * KiB  # of a notice from another server, read for what it says: 200 recipients and a header
INTAKE_SHARE: Final = 1536 * KiB  # the most that one message holds in memory: a body part, a frame and what comes in
SRS_MAX_AGE: Final = 21  # days a rewritten reverse-path takes bounces: queues give up after 5 to 7, some twice in a row

# --- IMAP on the wire (imap/wire) ---
IMAP_COMMAND_TEXT_MAX: Final = 64 * KiB  # all lines of one command; Dovecot's figure: UID sets come unsplit
IMAP_LITERAL_MAX: Final = 64 * KiB  # one literal held in memory; larger ones are refused, or streamed for APPEND
IMAP_COMMAND_HELD_MAX: Final = 256 * KiB  # all held literals of one command
IMAP_LITERALS_MAX: Final = 1024  # literals in one command; as many messages of a MULTIAPPEND are 40 ms in one atom
IMAP_MESSAGE_MAX: Final = MAX_MESSAGE  # one APPEND literal; told to clients as APPENDLIMIT
IMAP_DRAIN_MAX: Final = 128 * MiB  # refused non-synchronising literals of one command skipped before we hang up
IMAP_LOGIN_TEXT_MAX: Final = 8 * KiB  # as IMAP_COMMAND_TEXT_MAX, before login: strangers need less (RFC 2683: 8000)
IMAP_LOGIN_LITERAL_MAX: Final = 4 * KiB  # a user name, a password or a mailbox name, before login
IMAP_LOGIN_DRAIN_MAX: Final = 64 * KiB  # as IMAP_DRAIN_MAX, before login
IMAP_RAW_LINE_MAX: Final = 12288  # one SASL response line in base64, the figure of RFC 4954; DONE of IDLE
IMAP_NESTING_MAX: Final = 50  # parentheses and ORs within each other; people nest three
IMAP_ITEMS_MAX: Final = 2000  # list items and search keys in one command: 10 ms to read, and each is work to do
IMAP_MAILBOX_NAME_MAX: Final = 1000  # a name or LIST pattern as sent; matching costs name times pattern over 64
IMAP_LIST_PATTERNS_MAX: Final = 100  # patterns in one LIST (RFC 5258); each is tried on every mailbox
IMAP_ID_PAIRS_MAX: Final = 30  # field-value pairs of ID (RFC 2971 section 3.3)
IMAP_NOTIFY_NAMES_MAX: Final = 1000  # groups and mailbox names in one NOTIFY; each is looked at for each event
IMAP_SECTIONS_MAX: Final = 100  # BODY[...] and BINARY[...] in one FETCH; programs ask for a dozen
IMAP_PART_NUMBER_MAX: Final = 1000  # octets of one part number: a hundred levels, more than MAX_MIME_DEPTH
IMAP_URL_MAX: Final = 4096  # octets of one URL; a mailbox name in percent signs has three times its length
IMAP_ENTRY_MAX: Final = 255  # octets of an annotation's name; nobody's are half as long
IMAP_QUOTED_MAX: Final = 1024  # octets; longer strings go as literals, for clients with line buffers
IMAP_KEYWORD_MAX: Final = 200  # characters of one keyword; Thunderbird's are up to 60
IMAP_INFLATE_STEP: Final = 64 * KiB  # octets that come out of a compressed stream at once: as uncompressed ones come in
IMAP_DEFLATE_STEP: Final = 64 * KiB  # octets compressed before others get a turn: a millisecond

# --- IMAP: the server (imap) ---
IMAP_LOGIN_TIMEOUT: Final = 60.0  # seconds of silence before login: strangers do not keep connections open
IMAP_AUTOLOGOUT: Final = 31 * 60.0  # seconds of silence after login; RFC 9051 §5.4 says 30 minutes at least
IMAP_KEEPALIVE: Final = 120.0  # seconds between "* OK Still here" in IDLE: routers forget quiet connections after less
IMAP_OUTPUT_HELD: Final = 128 * KiB  # rendered and not yet sent; beyond it a command waits for the client to read
IMAP_STORED_HELD: Final = 1 * MiB  # the same for replies to STORE, which are rendered while its event is being synced
IMAP_INPUT_BATCH: Final = 1 * MiB  # octets of a pipeline worked on before its first replies must leave
IMAP_TURN: Final = 0.008  # seconds a session computes before it gives the others a turn
IMAP_LINES: Final = 4000  # lines rendered at once from columns alone; one is some 50 octets and takes 100 ns
IMAP_SLICE: Final = 1000  # messages looked at, sorted or listed at once: some microseconds each
IMAP_BAD_COMMANDS_MAX: Final = 50  # commands in a session that were not IMAP; a program that wrong will not recover
IMAP_LOGIN_BAD_MAX: Final = 6  # as IMAP_BAD_COMMANDS_MAX, before login; and failed logins
IMAP_NUMBERS_STEP: Final = 10_000  # numbers of a SEARCH or SORT rendered at once: a millisecond
IMAP_SLICE_KEPT: Final = 100  # the same where rows of the structure file are taken apart
IMAP_SLICE_ORDERED: Final = 2000  # messages whose sort keys are taken from the structure file at once: 2 ms
IMAP_SLICE_MADE: Final = 20  # the same where the structure file is behind: a row takes half a millisecond
IMAP_SLICE_READY: Final = 334  # the same where its rows are all there: a line of 600 octets takes a microsecond or two
IMAP_MADE_MIN: Final = 16 * KiB  # messages above it get a missing structure row in a thread: 20 ms at worst
IMAP_STREAMED_MIN: Final = 256 * KiB  # messages above it are read and sent frame by frame, never held as a whole
IMAP_STREAM_STEP: Final = 256 * KiB  # octets of such a message read at once: one frame
IMAP_SORT_KEYS_KEPT: Final = 500_000  # messages of mailboxes sorted lately whose keys stay; some 150 octets each
IMAP_FILTER_DEPTH: Final = 5  # named searches within each other; RFC 5466 §3.1 asks for 3
IMAP_CONTEXTS_MAX: Final = 10  # searches of one session that are kept up to date (RFC 5267)
IMAP_CONTEXT_CHANGES_MAX: Final = 5000  # changes of a sorted one told at once; beyond it the client must ask again
IMAP_TREES_KEPT: Final = 32  # trees of large messages kept, all sessions together; some 100 KiB each at worst
READ_AHEAD: Final = 256 * KiB  # octets of the log read at once where messages lie close: some sixty small mails
IMAP_NOTIFY_HELD: Final = 5_000  # names, annotations and messages to fetch that are held for a client that NOTIFY tells
IMAP_PROGRESS_EVERY: Final = 10.0  # seconds of a long command between words that it goes on (RFC 9585)
IMAP_BATCH_MIN: Final = 500  # messages of a batch of UIDBATCHES, the figure of RFC 10022
IMAP_URL_OCTETS_MAX: Final = 50 * MiB  # of one message that CATENATE takes pieces of: it is read whole
IMAP_URLS_OCTETS_MAX: Final = 512 * MiB  # of all messages that one command names by URL: each is read for its piece
IMAP_UPLOAD_HELD: Final = 2 * MiB  # octets of one APPEND in memory at once: two parts of the log
IMAP_UPLOAD_HEAD: Final = 64 * KiB  # octets of a streamed message in which its Message-ID is looked for
IMAP_PREVIEWS_KEPT: Final = 10_000  # previews kept for all sessions together: 4 MiB at most

# --- SASL (sasl) ---
SASL_MAX_TEXT: Final = 1 * KiB  # a name or a password in UTF-8; RFC 4616 §2 has 255 characters
SCRAM_ITERATIONS: Final = 4096  # RFC 7677 §4: at least; app passwords have 120 random bits and need no more

# --- Connections, logins and what is in flight (net) ---
RECEIVE_SIZE: Final = 64 * KiB  # octets asked of a socket at once
SEND_CHUNK: Final = 256 * KiB  # octets handed to a socket at once; small pieces are joined up to this
SEND_TIMEOUT: Final = 300.0  # for each SEND_CHUNK: a reader below 1 KiB/s is given up (RFC 5321 §4.5.3.2: minutes)
LOOP_TURN: Final = 0.0005  # seconds into a turn of the event loop after which a mail's end waits for the next turn
DEADLINE_STEP: Final = 1.0  # seconds between two looks whose wait on a peer is overdue: so late it may be told
FAIR_SHARE: Final = 16  # socket calls that did not block before other tasks get a turn: some hundred microseconds
TLS_HANDSHAKE_TIMEOUT: Final = 30.0  # slow phones need five round trips; strangers get no more
CLOSE_LINGER: Final = 1.0  # wait for the peer's end after ours, so that our last words are not lost in a reset
CLOSE_DRAIN: Final = 1 * MiB  # octets read and dropped while lingering
LISTEN_BACKLOG: Final = 1024  # connections the system holds for us while we are busy
ACCEPT_RETRY: Final = 0.1  # pause after accepting failed for want of file descriptors or memory
MAX_CONNECTIONS: Final = 10_000  # of all peers: 60 KiB each is 600 MiB
MAX_CONNECTIONS_PER_PEER: Final = 100  # per /24 or /64, loopback excepted: an office of phones behind one address
CONNECTION_RATE: Final = 600  # new connections a minute and network; busy senders open a few a second
CONNECTION_BURST: Final = 100  # of them at once
PEERS_REMEMBERED: Final = 50_000  # networks and account names whose doings are remembered: some 200 octets each
PASSWORD_THREADS: Final = 2  # argon2id at a time, 19 MiB each: a flood of logins leaves memory and CPU to the others
PASSWORD_QUEUE: Final = 64  # checks waiting for these; more are refused untried: one lasts 35 ms, clients wait seconds
SELF_SIGNED_DAYS: Final = 825  # that a certificate of our own is good for; Apple's programs accept no more
LOGIN_CACHE: Final = 600.0  # a good login is known for so long without hashing: phones reconnect every few minutes
LOGIN_CACHE_SIZE: Final = 10_000  # good logins and wrong passwords known at a time
FREE_FAILURES: Final = 3  # wrong passwords without delay: people mistype
DELAY_STEP: Final = 0.5  # delay of the first failure beyond these; doubles with each
DELAY_MAX: Final = 16.0  # for a network; clients give up after 30
ACCOUNT_DELAY_MAX: Final = 4.0  # for an account under attack from everywhere: its owner must still get in
FAILURES_FORGOTTEN: Final = 3600.0  # failures are forgotten after so long without another one
BAN_FAILURES: Final = 20  # different wrong guesses after which a network is banned
BAN_TIME: Final = 900.0  # a ban: 80 guesses an hour and network at most
WITHOUT_SCRAM: Final = 86400.0  # a network that tried SCRAM with an account's password is not offered it for so long
APP_PASSWORD_USE_NOTED: Final = 3600  # at most once in so many seconds the log tells that an app password was used
MESSAGE_BUDGET: Final = 256 * MiB  # octets of messages in flight over all sessions
BUDGET_WAIT: Final = 30.0  # a reader waits so long for its share, then it is refused
TALLY_INTERVAL: Final = 60.0  # between two events telling what strangers did
CLOCK_JUMP: Final = 3600.0  # the clock moved by so much against the monotonic one: irreversible acts wait
CLOCK_GAP: Final = 2 * 86400.0  # so long after the log's last record the clock is unproven at start
CLOCK_PROOF: Final = 3600.0  # it counts as proven again after so long without a jump
CLOCK_LOOK: Final = 60.0  # between two looks whether somebody has moved the system's clock

# --- A server's life (app) ---
CERTIFICATE_POLL: Final = 10.0  # between two looks at the certificate's files
STOP_GRACE: Final = 4.0  # sessions have so long to finish and say goodbye when the server stops; all of a stop is 10 s

SWITCH_INTERVAL: Final = 0.001
"""Seconds that a thread may keep Python's lock while the event loop waits for it, several times a command.

With Python's 0.005, beside a thread that parses, a NOOP took 5.5 ms where it takes 1.3 now."""

CHILD_FRAME: Final = 64 * MiB
"""Octets of one frame between the server and a child process: rows that gathered, or those of one message."""

STOP_SYNC: Final = 5.0
"""Seconds an orderly stop waits for the last batch to be written."""

ERASE_INTERVAL: Final = 600.0  # between two looks for mail whose retention ended
ERASE_BATCH: Final = 1000  # bodies erased in one go: the event that names them stays small

# --- The log (events) ---
FACTS_RESERVE: Final = 64 * MiB
"""Disk kept free of new bodies, so that flags, expunges, erasures and queue outcomes still fit on a full disk."""

RESERVE_STEP: Final = 16 * MiB
"""Disk reserved at a time beyond what is needed: one system call for a thousand mails."""

FULL_DISK_RETRY: Final = 1.0
"""Seconds between attempts to write when the disk turned out to be full."""

# --- Derived files (projections, followers) ---
KEPT_HEADER: Final = 16 * KiB
"""Octets of a message's common header fields kept in the structure file; longer ones are read from the log."""

KEPT_ADDRESS: Final = 2 * KiB
"""Octets of From, To and Cc in which the first address is looked for, by which SORT compares."""

STRUCTURE_BLOCK_ROWS: Final = 128
"""Messages in one compressed block of the structure file: more save little, and a single row costs a whole block."""

STRUCTURE_BLOCK: Final = 256 * KiB
"""Octets before compression after which a block is full, however few its rows."""

STRUCTURE_LEVEL: Final = 6
"""Of zstd, for the structure file: a twentieth smaller than at the default of 3, for 7 us a mail."""

STRUCTURE_PARTS: Final = 4 * MiB
"""Octets of blocks that stay decompressed in memory: messages are taken in slices, which end inside a block."""

STRUCTURE_TEXTS: Final = 16 * MiB
"""Octets of ENVELOPEs, header fields and the like that stay ready to be sent: some 20,000 messages, of all accounts."""

STRUCTURE_CACHE: Final = 4096
"""Messages without a row in the structure file whose computed rows stay in memory: those that have just come."""

TEXT_BLOCK: Final = 1 * MiB
"""Octets of searched text, before compression, after which a block of the text files is full: 2 ms to scan."""

TEXT_LEVEL: Final = 6
"""Of zstd, for the text files: a twentieth smaller than at the default of 3; level 9 takes 2 % off and 40 us a mail."""

TEXT_BLOCK_ROWS: Final = 1024
"""Messages after which it is full however short they are."""

TEXT_SPARSE: Final = 32 * KiB
"""Compressed octets of a block for each message wanted of it beyond which these are read one by one instead."""

TEXT_THREAD: Final = 512 * KiB
"""Compressed octets of a block beyond which it is scanned in a thread: one message of many megabytes."""

TEXT_LIGHT: Final = 16 * KiB
"""Octets of a message up to which a search reads it in place, in a millisecond or two; 60 KiB of addresses take 70."""

FOLLOW_FACTS: Final = 0.05
"""Seconds between two looks at what is new: a thread for each batch of the log would cost a tenth of sending."""

ROWS_SOME: Final = 256
"""Rows, of both files, from which on they are made at once: whoever asks for one of fewer has it computed."""

ROWS_AGE: Final = 60.0
"""Seconds that fewer wait for more."""

ROWS_QUIET: Final = 1.0
"""Seconds without new mail after which a worker that runs makes fewer too."""

ROWS_LOOK: Final = 0.05
"""Seconds between two looks whether it is time for that."""

ROWS_BATCH: Final = 128
"""Messages that the worker is given at a time: some 20 ms for `structure`, 50 with `text`."""

ROWS_ANSWER: Final = 2 * MiB
"""Octets of rows after which it answers, however few messages they are of."""

ROWS_IDLE: Final = 10.0
"""Seconds without new mail after which the worker is ended: it takes some 30 MB, and a sixth of a second to start."""

ROWS_NICE: Final = 10
"""How much the worker gives way: where the cores are busy, it gets a tenth of what others do."""

ROWS_TIME: Final = 20
"""Seconds of CPU for the rows of one message; the worst of 50 MiB take less than one."""

ROWS_MEMORY: Final = 512 * MiB
"""Octets that the worker may have, all that is mapped counted; the worst of 50 MiB take half of that."""

SNAPSHOT_EVENTS: Final = 100_000
"""Events after which a new snapshot is made: about a second of replay."""

SNAPSHOT_AT_STOP: Final = 300_000
"""Events since the last snapshot beyond which an orderly stop writes the state in memory, unchecked, as snapshot."""

FACTS_STEP: Final = 256 * MiB
"""Octets of the log whose facts are copied at a time, in a thread: a stop waits for no more; above any one record."""

SNAPSHOT_TIME: Final = 6.0
"""Seconds that an orderly stop waits for the last snapshot; without it the next start takes longer."""

# --- The control API (web/control) ---
CONTROL_CONNECTIONS: Final = 50  # at a time: commands of one person, and pages
CONTROL_HEADER_MAX: Final = 16 * KiB  # a request's head
CONTROL_BODY_MAX: Final = 256 * KiB  # a request's body: names and settings
CONTROL_TIMEOUT: Final = 60.0  # silence of a client, or for it to take what we send
CONTROL_LINES: Final = 200  # lines of a long answer made in a thread at once
CONTROL_QUEUE_LISTED: Final = 500  # messages of the queue in one answer: each is read from the log
CONTROL_HEADER_SHOWN: Final = 16 * KiB  # octets of a queued message's header

# --- The queue, and sending (projections/queue, actions/queue, delivery/sending) ---
QUEUE_FINISHED_KEPT: Final = 1000  # messages that have left the queue and can still be shown, and cancellations undone
QUEUE_STORY: Final = 6  # attempts remembered of one recipient: the first and the last five
QUEUE_LIFETIME: Final = 7 * 86400  # seconds after which a message is given up; RFC 5321 §4.5.4.1 says 4 days at least
QUEUE_RELEASED_LIFETIME: Final = 86_400  # seconds at least for mail of a restored copy, from when it may go
QUEUE_REPORTS: Final = 6  # notices from other servers remembered of one recipient: some delays, and the end
FORWARD_TOLD_AGAIN: Final = 86400  # seconds until the owner of a forward is told again that mail does not go on by it
SENT_KEPT: Final = 100_000  # names of messages under which notices find them; news comes within a week
QUEUE_TEXT: Final = 500  # characters of a remote server's words kept of one attempt
QUEUE_CONNECTIONS: Final = 200  # to other servers at a time; each costs a socket, some 40 KiB of TLS and a task
QUEUE_SUSPECT_CONNECTIONS: Final = 60  # of these to destinations that failed last time: the others find room always
QUEUE_SLOW: Final = 10.0  # seconds a message may take while others wait; then its connection's place is theirs as well
QUEUE_SLOW_CONNECTIONS: Final = 200  # ... so many are beyond QUEUE_CONNECTIONS: with them a third of 1024 open files
QUEUE_DESTINATION_FIRST: Final = 5  # connections to one destination to begin with; one more for each that goes well
QUEUE_DESTINATION_MOST: Final = 20  # connections to one destination; Postfix's figure: receivers refuse more
QUEUE_CONNECTION_MAILS: Final = 100  # messages over one connection; some servers count
QUEUE_CONNECTION_IDLE: Final = 2.0  # seconds that a connection waits for another message
QUEUE_RECIPIENTS: Final = 100  # recipients of one transaction; RFC 5321 §4.5.3.1.8: every server takes so many
QUEUE_LOOK: Final = 60.0  # seconds at most between two looks at what is due: the wall clock may be moved
QUEUE_DELAYED: Final = 4 * 3600  # seconds after which the sender is told that a message is delayed
QUEUE_NOTICE_WAIT: Final = 60  # seconds that failures of one message are gathered while others are being tried
QUEUE_PIECE: Final = 256 * KiB  # octets of a message read at once, one frame; those up to this are read as a whole
QUEUE_SIGNED: Final = 10  # messages that a thread signs at a time, while those before them are sent: some 5 ms
QUEUE_SIGNING_MANY: Final = 100  # messages that a thread signs with no pause between, before a process is started
QUEUE_SIGNING_PAUSE: Final = 0.5  # seconds that are a pause; a process takes a quarter of one to start
QUEUE_SIGNING_IDLE: Final = 10.0  # seconds without anything to sign, or without an answer, after which it is ended
QUEUE_OUTCOME_ROOM: Final = 64 * KiB  # octets of disk there must be for an attempt's outcome: 100 long replies
QUEUE_FULL_RETRY: Final = 60.0  # seconds without attempts when the log had no room for one's outcome

# --- SMTP: the client (smtp/wire, delivery/sending) ---
SMTP_CLIENT_MAX_REPLY: Final = 32 * KiB  # one reply, all its lines; honest ones end below 2 KiB, EHLO included
SMTP_CLIENT_WINDOW: Final = 100  # commands sent ahead of their replies (RFC 2920 §3.1): both fit any socket's buffers
SMTP_GREETING_TIMEOUT: Final = 300.0  # for the 220; RFC 5321 §4.5.3.2.1: 5 minutes
SMTP_HELLO_TIMEOUT: Final = 300.0  # for EHLO, STARTTLS and AUTH, of which the RFC says nothing: as MAIL
SMTP_MAIL_TIMEOUT: Final = 300.0  # RFC 5321 §4.5.3.2.2: 5 minutes
SMTP_RCPT_TIMEOUT: Final = 300.0  # RFC 5321 §4.5.3.2.3: 5 minutes
SMTP_DATA_START_TIMEOUT: Final = 120.0  # for the 354; RFC 5321 §4.5.3.2.4: 2 minutes
SMTP_DATA_BLOCK_TIMEOUT: Final = 180.0  # for the system to take a block; RFC 5321 §4.5.3.2.5: 3 minutes
SMTP_DATA_END_TIMEOUT: Final = 600.0  # for the answer to the final dot; RFC 5321 §4.5.3.2.6: 10 minutes
SMTP_QUIT_TIMEOUT: Final = 5.0  # for the 221, which nobody needs: courtesy ends here
SMTP_FAREWELL_TIMEOUT: Final = 1.0  # for the last words of a server to come, when all is over
SMTP_CONNECT_TIMEOUT: Final = 30.0  # for a TCP connection to another server: three SYNs

# --- Routes, and what is secure on the way out (delivery, delivery/tls, net/https) ---
MAX_MX_HOSTS: Final = 30  # hosts of one domain that are looked at, best first; the longest honest lists have a dozen
MAX_HOST_ADDRESSES: Final = 20  # addresses of one host that are tried
TLS_CLIENT_TIMEOUT: Final = 60.0  # for a handshake with a remote server; some are very slow, none takes a minute
MAX_CHAIN: Final = 12  # certificates that a server shows; the longest honest chains have five
CERTIFICATE_NAMES_KEPT: Final = 20  # of a server's certificate, for the record
HTTPS_TIMEOUT: Final = 60.0  # for one fetch in all; RFC 8461 §3.3 suggests a minute
HTTPS_MAX_BODY: Final = 64 * KiB  # RFC 8461 §3.3: the figure it suggests for a policy
HTTPS_MAX_HEAD: Final = 16 * KiB  # status line and header fields of the answer
TLS_TALLY_DAYS: Final = 4  # days whose TLS tallies are kept: a report goes out the day after, and may be tried again
TLS_TALLY_POLICIES: Final = 10_000  # policies tallied of one day, some 300 octets each; more sessions are only counted
TLS_TALLY_FAILURES: Final = 50  # kinds of failures told apart under one policy
TLS_TALLY_STRINGS: Final = 20  # TLSA records, or MX patterns, of a policy that are kept for a report
TLS_TALLY_TEXT: Final = 300  # characters of one of them, or of a reason
STS_MAX_PATTERNS: Final = 100  # MX patterns of one MTA-STS policy; the longest honest ones have a dozen
STS_MAX_AGE: Final = 31_557_600  # seconds that a policy may ask to be kept, RFC 8461 §3.2: a year
STS_RETRY: Final = 300  # seconds until an MTA-STS policy that could not be fetched is asked for again (RFC 8461 §5.1)
STS_FAILURES_KEPT: Final = 10_000  # domains for which that is remembered

# --- DNS (net/resolver) ---
DNS_SERVER_TIMEOUT: Final = 3.0  # one server's answer, before the next one is asked
DNS_ROUNDS: Final = 2  # times that all servers are asked; packets get lost
DNS_SERVERS: Final = 3  # of the system's that are asked; the C library's figure
DNS_TIMEOUT: Final = 20.0  # one question in all; a validating resolver may have a dozen servers to ask
DNS_QUERIES: Final = 200  # questions under way at once; more wait
DNS_CACHE_SIZE: Final = 20_000  # answers kept, some 500 octets each
DNS_MAX_TTL: Final = 86_400  # an answer is kept a day at most, whatever it says of itself (RFC 8767 §4 has a week)
DNS_MAX_NEGATIVE_TTL: Final = 3_600  # "there is none" is kept an hour at most (RFC 2308 §5: one to three hours)
DNS_FAILURE_TTL: Final = 5  # failures are kept so long (RFC 9520 §3.2: one second at least): a queue asks in bursts
DNS_MAX_RECORDS: Final = 200  # records of one answer that are looked at
DNS_MAX_ALIASES: Final = 8  # CNAMEs followed from one server to the next
DNS_PROBE_INTERVAL: Final = 300.0  # between two looks whether the system's resolvers let DNSSEC through

# --- The smart host (actions/smart_host, app/smart_host) ---
SMART_HOST_USER: Final = 500  # octets; with the password it must fit into one line of AUTH PLAIN
SMART_HOST_PASSWORD: Final = 4000  # octets; API keys of mail services have some 70
SMART_HOST_TOLD_AGAIN: Final = 86400  # seconds until the postmaster is told again that it takes no mail

# --- The conversation (assistant) ---
ANSWER_READ: Final = 1 * MiB  # octets of a reply that is already in the log, one BodyPart: what is attached comes later
ANSWER_TEXT_MAX: Final = 256 * KiB  # octets of a reply's text that are looked at: the answer, and our question quoted
ANSWER_LINES_MAX: Final = 2000  # ... and lines
ANSWER_LINE_MAX: Final = 300  # characters of a line that can be an answer
ANSWER_WORDS_MAX: Final = 16  # ... and words of it
QUESTION_KEPT: Final = 7 * 86400  # seconds that an expired question stays known, so that a late answer gets a reason

# --- The command line (cli) ---
COMMAND_BUSY_WAIT: Final = 5.0  # for another command, or a server that starts or stops, to let go of the log
COMMAND_BUSY_STEP: Final = 0.1  # between two looks whether it has
COMMAND_FOLLOW_RETRY: Final = 1.0  # between attempts of `log --follow` to reach a server that is not running
