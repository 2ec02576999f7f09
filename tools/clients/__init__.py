"""Real mail programs against a real server: `python -m tools.clients [--wire FOLDER] [NAME...]`, one line a program.

Each module is one program: `check(served)` lets it read (and where it can, write and send) mail of an account of its
own, and compares octets. It returns a sentence on what agreed, or raises `Differs`, or `NotInstalled` with the command
that installs the program. The light ones run in the suite too (tests/e2e/test_programs.py). Two are a download of their
own, and Thunderbird takes half a minute, so they run here alone:

    apt-get install thunderbird
    CLIENTS_SCREENSHOTS=FOLDER python -m tools.clients thunderbird     leaves thunderbird.png there
    npm install imapflow                                               in a folder NODE
    CLIENTS_NODE=NODE python -m tools.clients imapflow

`--wire FOLDER` writes down what each says and hears, in the form of tests/dialogs.
"""
