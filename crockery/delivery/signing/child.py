"""The child process that signs: `python -m crockery.delivery.signing.child`, told over stdin and stdout.

It has the keys in memory, and no file: neither is it given one, nor may it write any, nor does it leave a core.
"""

import sys
from contextlib import suppress

from crockery.children.parent import Parent, run
from crockery.delivery.signing.process import Kind
from crockery.delivery.signing.signature import signature_of
from crockery.trust.dkim import KeyFormatError, SigningKey, load_key


def serve(server: Parent) -> None:
    """Sign until the server wants no more. Raises Ended, BrokenPipeError, BadFrame."""
    keys: dict[str, list[SigningKey]] = {}
    while True:
        frame = server.receive()
        match frame.kind:
            case Kind.KEYS:
                keys = {}
                for domain, selector, octets in frame.values:
                    with suppress(KeyFormatError):
                        keys.setdefault(domain, []).append(SigningKey(selector, load_key(octets)))
                server.send(Kind.READY)
            case Kind.SIGN:
                message, now = frame.values
                server.send(Kind.SIGNED, signature_of((message,), keys, now))
            case _:
                raise ValueError(f"a frame of kind {frame.kind}")


if __name__ == "__main__":
    sys.exit(run(serve))
