"""SMTP: mail from other servers (MX, port 25) and from people with accounts (submission, ports 587 and 465).

    wire       the protocol, sans-IO: octets to commands, replies to octets
    server     one connection: receive, decide, gather replies, wait until they may be told, send
    session    the decisions: which reply a command gets, and what happens
    login      AUTH: the SASL exchange and what comes of it
    errors     what went wrong, as a reply

RFC 5321 (SMTP), 6409 (submission), 8314 (implicit TLS), 3207 (STARTTLS), 4954 (AUTH). What is accepted for whom is not
decided here but in `delivery`.
"""
