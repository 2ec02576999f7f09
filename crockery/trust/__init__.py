"""What a message proves about where it comes from: verdicts, and the signatures by which others reach theirs.

    dkim     DKIM signatures made (RFC 6376); what verifying will share with that: canonical forms, key records

Pure: no socket, no clock; what DNS says and what time it is come in as arguments.
"""
