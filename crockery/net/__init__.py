"""Between the sockets and the protocols: connections, TLS, logins, limits, and what all sessions share.

`net` serves the protocol servers: a session gets a `Connection` and the `Services`, and needs nothing else.

Rooms: `connection` (one connection, plain or TLS), `deadlines` (who waits too long on a peer), `turns` (much
work in small pieces, so that others are heard in between), `listeners` (ports, and errors a person can act on), `tls`
and `certificates` (the certificate in use and its change while running), `peers` (networks, connection limits, rates),
`login` with `passwords` and `guessing` (who may in, and how guessing is made slow), `changes` (waking sessions when
mail came), `budget` (octets in flight), `tally` (what strangers did), `clock` (whether the clock can be believed),
`services` (all of it, as sessions get it). And for what goes out: `resolver` (DNS, with DNSSEC where it can be had),
`tls_client` (a handshake, and what the server showed in it), `https` (one small bounded fetch).
"""
