"""The log: one append-only file of facts. This docstring is its format, precise enough to write a reader from.

All integers are little-endian and unsigned unless said otherwise; times are signed microseconds since 1970, UTC; `H` is
BLAKE2b with a 16 octet digest, keyed with the file's key (RFC 7693). Facts are one msgpack map with string keys.

File
    The file is a header, then records without gaps. Octets after the last whole atom are an unfinished tail.

Header (88 octets)
    magic      8   89 43 52 4B 0D 0A 1A 0A   (`\\x89CRK\\r\\n\\x1a\\n`: shows damage by text-mode copies)
    major      2   format version; another major: do not try to read
    minor      2   readers accept any minor: it only ever adds event types and skippable things
    length     4   octets of this header (88; when larger, skip what is unknown)
    log id    16   random; a compacted log is another log
    created    8   time
    key       32   random; keys every hash, so that nothing inside a mail can pass for a record
    hash      16   H of the 72 octets before it: the first record's `previous`

Record (80 octets, facts, body)
    marker     4   the first octets of H of `marker`: each file has its own, which nobody who sends mail can know, so
                   that looking for records after damage stays linear whatever the bodies hold
    flags      1   bit 0: last record of its atom; bit 1: skippable by readers that do not know the type;
                   bit 2: the body is secret (never shown, erased when replaced)
    version    1   version of the event type's facts; older ones are upcast on read
    type       2   code of the event type (`types` is the list; 1 = batch frame)
    sequence   8   number of the event; grows by one from record to record, except as HistoryResumed says
    time       8   the clock's word when it was appended; order is the sequence's alone
    facts len  4   octets of facts
    body len   4   octets of body
    previous  16   hash of the record before (of the header, for the first)
    body hash 16   H of the body as stored; sixteen zeros when there is none
    facts          msgpack map
    hash      16   H of everything from marker to the end of facts
    body           not under `hash` itself, but its length and hash are: so replay need not read bodies, and a body
                   can be erased (overwritten with zeros) without breaking the chain

Batch frame
    A record of type 1 without a sequence number of its own (its `sequence` is the number of the event after it).
    It stands first in every group commit, between atoms. Facts: `durable`, the file offset known to be synced when
    the batch was written: its own, as a batch is written once the one before it is synced. Damage before the greatest
    such offset is corruption; it is reported and never cut.

Atom
    Records up to and including one with flag bit 0. Readers stop only at atom ends: an atom is there whole or not at
    all. Recovery cuts an unfinished tail at the end of the last whole atom whose records, bodies included, verify.

Body
    One or more independent frames, each of at most 256 KiB before compression (all but the last exactly that). A frame
    is a zstd frame (RFC 8878), or an octet 01 and a zstd frame made with dictionary 1 (the octets in `dictionary`, as
    raw content: 10,399 of them, SHA-256
    6d58f17eae71b777615d73088ea015494597bf6214dffad2e3aadd55591a1d4a).
    The facts of an event with a body that is a message hold `size`, the octets of the body before compression, and,
    when there is more than one frame, `frames`, the compressed length of each. A body over 1 MiB is written ahead in
    BodyPart records; the event's facts then hold `parts`, their sequence numbers in order, and it has no body of its
    own. `body_of` instead names the event that has the body. BodyPart records nobody refers to are erased at start.
    A stored message is the facts' `prefix` (trace header fields, CRLF ended) followed by the body.

Erased bodies
    BodiesErased names the events whose bodies are gone; once it is durable they are overwritten with zeros (the file
    may have a hole there). Repeated at start in case it was interrupted: until then such a body may be anything. A
    body of zeros that is not named is missing: damage.

Accepted damage
    DamageAccepted, appended by `repair`, says that the octets from `start` to `end` are left out: reading goes on at
    `end`, the beginning of a batch frame or an atom, whatever its `previous` says. The records of an atom that began
    before `start` and did not end there are left out as well.

Rooms: `format` (this page in code), `types` (the events), `ranges` (sets of UIDs and numbers inside facts), `body`
(frames), `dictionary` (of small ones), `codec` (events to records and back), `file` (what we ask of the operating
system), `scan` (reading and checking records), `recover` and `opening` (opening after anything), `log` (append),
`reading` (bodies), `catalog` (where they are), `writer` (group commit), `facts` (the derived copy of facts), `walk`
(past damage), `verify`, `repair`, `backup`.
"""
