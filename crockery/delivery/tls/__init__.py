"""What counts as secure for mail on its way out.

    faults         what can be wrong
    certificates   what a remote server shows, and whether it leads to somebody trusted
    dane           TLSA records: which count, whether a chain matches (RFC 7672)
    mta_sts        the record, the policy, how long it counts (RFC 8461)
    verify         the verdict on one connection, with all rules in order; begin reading here
    tallying       what the verdict counts as in TLS-RPT (RFC 8460)
    lookup         asks the DNS and the web for the above

All but `lookup` is pure: octets and times in, values out. The way of a delivery: `routes.find_route` gives hosts; for
each `lookup.find_dane`, for the domain `lookup.find_sts`; then the connection, STARTTLS, `net.tls_client.handshake`;
and `verify.judge` says whether the mail may go.
"""
