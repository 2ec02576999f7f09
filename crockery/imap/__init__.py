"""IMAP: the grammar in `wire/` (pure), the server that speaks it, and the view a session has of its mailbox."""
