"""`crockery demo`: a throw-away domain with accounts, mail and a test CA, served on high ports of this machine.

Rooms: `command` (the verb), `authority` (CA and certificate), `mails` with
`mails.toml` (what is in the mailboxes), `files` (what is attached).
"""
