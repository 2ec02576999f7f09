"""The derived files, kept up while the server runs: facts, structure, text, and now and then a snapshot.

They consume durable records only and give way to the work of the day. Nothing here can fail the server: a derived file
that cannot be written is logged, and made anew at the next start.

    following   `Followers`, what trails the log of one server: the copy of the facts, snapshots, and rows
    rows        rows of `structure` and `text`, and what becomes of messages that defeat whoever makes them
    timing      when they are made (pure)
    worker      the child process that makes them, as the server sees it
    child       the same from inside: `python -m crockery.followers.child LOG`
    wire        what the two say to each other, sans-IO
    rebuilding  all of it at once, of a log that no server serves

Rows are made in a process of its own for two reasons. It takes the second core: a mail costs 300 microseconds of Python
and zstd, as much as taking it in. And a mail may be hostile: what parses it there has limits of memory and time, cannot
write a file, and may die without harm.
"""
