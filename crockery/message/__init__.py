"""Internet messages: RFC 5322 headers and MIME bodies, as bytes. Pure: no I/O, no clock, no randomness.

A message is the exact bytes received. Reading yields offsets into them and never raises, whatever the bytes are:
damage and excess become opaque leaves, so that every message can be listed, searched and fetched.

    headers       fields of a header; the bytes of HEADER.FIELDS        structure      the tree of parts, as offsets
    parameters    Content-Type and Content-Disposition values          sections       BODY[1.2.MIME] -> offsets
    addresses     address lists, tolerant and strict                   envelope       the answer to FETCH ENVELOPE
    dates         Date fields <-> Unix seconds                         bodystructure  the answer to FETCH BODYSTRUCTURE
    words         RFC 2047 encoded words                               transfer       base64 and quoted-printable
    charsets      bytes -> text, whatever the label says               text           parts as text, letter case folded
    subjects      base subjects and message ids, for threads           summary        all that is cached of a message
    compose       new messages                                         edit           changes to a header in transit
    dsn           delivery status notifications written: dsn_status (data), dsn_reasons (sentences), dsn_text
    dsn_parse     ... and read                                         downgrade      headers for clients without UTF-8
    conversation  which mails belong together                          threads        REFERENCES and ORDEREDSUBJECT
    preview       the first words of a message                         html           HTML as the text that people see
    searched      what SEARCH looks through, made ready
"""
