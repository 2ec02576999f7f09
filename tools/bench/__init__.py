"""Speed of Crockery beside its peer, Debian's Postfix and Dovecot, under one client in one run.

`servers` says what a server under test is; `peer` and `crockery_server` are the two. `client` speaks IMAP and
`smtp_load` SMTP, both to either server, with raw sockets, so that the client's own cost is small and the same for both.
`material` makes the mail from the corpus. The rows of the table are functions, listed in `rows`; `run` measures them
turn by turn and `report` prints the table and writes it into BENCHMARKS.md.

Every row checks what came back (counts, octets) after the clock has stopped; a server that answers wrongly has no
figure.
"""
