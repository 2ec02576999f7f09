"""What an answer can ask for."""

from enum import StrEnum


class Verb(StrEnum):
    """The answers that people give to questions, as they are recorded."""

    CANCEL = "cancel"
    RETRY = "retry"
    SEND = "send"
    TRUST = "trust"
    UNDO = "undo"
