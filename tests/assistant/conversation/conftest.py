"""The sending of tests/delivery/sending, with the conversation on top."""

from tests.delivery.sending.conftest import sending

__all__ = ["sending"]
