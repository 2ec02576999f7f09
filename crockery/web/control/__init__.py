"""The control API: what the command line asks of Crockery, and what pages for the postmaster will.

JSON over HTTP/1.1, on the Unix socket beside the log (`LOG.sock`, 0600: whoever may open it is the postmaster). When no
server runs, the command line opens the log and dispatches the very same requests in its own process.

    GET    /v1/status
    GET    /v1/settings                              PUT    /v1/settings/NAME       {"value": ...}
    GET    /v1/accounts                              POST   /v1/accounts            {"name", "password"}
    GET    /v1/accounts/NAME                         PATCH  /v1/accounts/NAME       {"password", "disabled" or "quota"}
                                                     DELETE /v1/accounts/NAME
                                                     PUT    /v1/accounts/NAME/forward  {"address", "keep"}
    GET    /v1/accounts/NAME/app-passwords           POST   /v1/accounts/NAME/app-passwords  {"label"} -> "password" too
                                                     DELETE /v1/accounts/NAME/app-passwords/LABEL
    GET    /v1/aliases                               PUT    /v1/aliases/NAME        {"targets": [...]}
                                                     DELETE /v1/aliases/NAME
    GET    /v1/wildcard                              PUT    /v1/wildcard            {"account": NAME or null}
    GET    /v1/queue?after=NUMBER&finished=1         DELETE /v1/queue/NUMBER?recipient=ADDRESS
    GET    /v1/queue/NUMBER                          POST   /v1/queue/NUMBER/retry?recipient=ADDRESS
                                                     POST   /v1/queue/NUMBER/send-insecure?recipient=ADDRESS
                                                     POST   /v1/queue-release       {"choice": "send" or "drop"}
    GET    /v1/smart-host                            PUT    /v1/smart-host          {"host", "port", "tls", ...}
                                                     DELETE /v1/smart-host
    GET    /v1/whitelist/tls                         PUT    /v1/whitelist/tls/DOMAIN
                                                     DELETE /v1/whitelist/tls/DOMAIN
    GET    /v1/tls-tallies?day=DAY
    GET    /v1/dns?address=ADDRESSES
    GET    /v1/log?after=NUMBER&last=COUNT&follow=1                                 one entry a line
    GET    /v1/history?account=NAME&mailbox=NAME&uid=UID&message=NUMBER or ID       one entry a line
    POST   /v1/reindex                                                              one line of progress at a time

Collections answer `{"items": [...]}`, resources with themselves. Every error has one shape, `{"error": {"reason",
"message"}}`: the reason is a word for programs, the message a sentence that says what is wrong and what to do. Times
are RFC 3339 in UTC, sizes octets. A change is durable before it is answered.

Rooms: `routes` (method and path to operation), `request` and `errors`, one file a resource (`accounts`, `addresses`,
`settings`, `queue` with `stories` of recipients, `smart_host`, `trust`, `tallies`, `dns`, `status`, `journal` with
`chronicle` for reading the log and `relevance` for what of it concerns whom), `address` (where the socket is), `server`
(the socket).
"""
