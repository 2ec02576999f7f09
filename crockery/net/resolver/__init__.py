"""DNS: one resolver for everything the server asks, with DNSSEC where it can be had.

`resolver` is what others use: `async with open_resolver(...) as resolver`, then `await resolver.mx(name)` and so on.
`answers` are the values that come back. Below: `cache`; `forwarder` asks recursive servers with dnspython; `unbound`
validates in-process by libunbound; `servers` says whom to ask.

When is an answer secure? If libunbound is there, when it has validated it up to the trust anchor. Else when the server
asked says so (AD bit) and nobody can be between it and us: it is on this machine, or the system's configuration calls
it trusted. Else never. Nothing here decides what follows from that.
"""

from crockery.net.resolver.answers import MX, TLSA, Answer, Status
from crockery.net.resolver.resolver import Resolver, open_resolver
from crockery.net.resolver.servers import Server, parse_server, system_servers

__all__ = ["MX", "TLSA", "Answer", "Resolver", "Server", "Status", "open_resolver", "parse_server", "system_servers"]
