"""Real mail programs against a real server: `python -m tools.clients [NAME...]` prints one line a program.

Each module is one program: `check(served)` lets it read (and where it can, write and send) mail of an account of its
own, and compares octets. It returns a sentence on what agreed, or raises `Differs`, or `NotInstalled` with the command
that installs the program. The light ones are part of the suite (tests/e2e).
"""
