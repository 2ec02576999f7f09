"""The `crockery` command.

`control` reaches the log: through the socket of the running server, or, with `local`, by opening the file itself;
either way the same request meets the same operation of `crockery.web.control`. `output` writes for people (tables,
colour on a terminal, progress bars) and, with --json, for programs. `main` puts the verbs together and turns what goes
wrong into one sentence and an exit code: 1, or 2 for a command that was not understood.

One file a verb group: `serving` (init, run), `demo`, `accounts`, `addresses`, `dns`, `settings`, `queue`, `smart_host`,
`whitelist`, `journal` (log, history), `upkeep` (verify, repair, reindex, backup), `status`; `options` is what all take.
"""
