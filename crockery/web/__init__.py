"""HTTP. Today: the control API on the Unix socket beside the log, which the command line speaks.

Rooms: `control` (resources, and the server on the socket), `narration` (events told as sentences).
"""
