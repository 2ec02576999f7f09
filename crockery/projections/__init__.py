"""Read models: folds of the log, held in memory.

`state.State` is all core projections; its `apply` is pure, synchronous, total and fast: no clock, no I/O, no Trio, no
randomness, and no projection looks at another (the action puts what it knew into the event; joins happen in queries).
Totality matters: after accepted damage an event may speak of things that never came; it then does what it can.

    settings, server     what the owner has set; starts, certificate
    accounts, sessions   with aliases, wildcard, app passwords; who acts
    mailboxes            columns: the messages of one;  vanished: what it has lost;  metadata: its annotations
    threads              which conversation a mail belongs to
    queue                queued: a message in it;  sent: names under which news of it comes;  submissions: how much
                         accounts send;  smart_host;  tls_tallies: how secure the ways were
    questions, forwards  what people were asked and told;  trust: what they granted to ways out
    signing              DKIM keys
    retention            what may be erased when;  references: by how many mailboxes a message is kept

And what is made of them: `quota` (how full an account is), `snapshot` with `fold` and `restore` (the state after a
start), and of the bodies the derived files `structure` and `text`, both in the blocks of `block_file`.
"""
