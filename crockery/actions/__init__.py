"""The only writers: an intent comes in, is looked at against the projections, and becomes the events of one atom.

Every action is synchronous: it looks, decides and appends without an await in between, which under Trio is atomic, so
there are no locks. It raises `errors.Refused` when it must not be done, before anything was appended. What an action
returns is what its caller tells the user once the log is durable up to `state.sequence`.

Rooms: `store` (log and state together, and the atom being made), `actor` (who does it), `incoming` (a body as it comes
in), `mail` (deliver, append, flags, copy, move, expunge), `mailboxes`, `metadata`, `accounts`, `quota`, `settings`,
`server`, `erase`; of mail that goes out `queue`, `notices`, `reports`, `smart_host`, `signing` (keys), `trust`,
`tallies`; and `questions`.
"""
