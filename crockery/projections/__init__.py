"""Read models: folds of the log, held in memory.

`state.State` is all core projections; its `apply` is pure, synchronous, total and fast: no clock, no I/O, no Trio, no
randomness, and no projection looks at another (the action puts what it knew into the event; joins happen in queries).
Totality matters: after accepted damage an event may speak of things that never came; it then does what it can.

Rooms: `settings`, `accounts` (with aliases, wildcard, app passwords), `mailboxes` (`columns` holds one mailbox's
messages), `sessions` (actors), `queue`, `questions` (asked of senders), `trust` (granted to ways out), `signing` (DKIM
keys), `retention` (what may be erased when), `server` (starts, certificate).
"""
