"""The error of both state machines that is our own fault."""


class LocalProtocolError(Exception):
    """Our own side broke the protocol: an answer out of turn, a command where it is not legal."""
