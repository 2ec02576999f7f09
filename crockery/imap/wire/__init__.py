"""The IMAP grammar, sans-IO: IMAP4rev1 (RFC 3501), IMAP4rev2 (RFC 9051), and what both revisions' clients use.

Octets come in through a `Framer`, which finds whole commands, and `parse_command`, which reads one; octets go out
through the `render_` functions. Nothing here knows of sockets, clocks or mailboxes. Import from the modules:

- `framer`      `Framer`: `receive_data`, `next_event` until NEED_MORE; the events; `FramerLimits`, `BEFORE_LOGIN`
- `parser`      `parse_command(frame, utf8=) -> Command(tag, verb, arguments)`
- `verbs`       `VERBS`: each verb's parser, `State`s where it is legal, `Trait`s; `Arguments`, the union of:
- `access`      NoArguments, Login, Authenticate (`decode_sasl_line` for its later lines), Id, Enable
- `mailboxes`   Select, Create, MailboxArgument, Rename, Status;  `listing`: List;  `append`: Append
- `search_returns` options of RETURN, CancelUpdate;  `sort`: Sort, Thread;  `multisearch`: Multisearch
- `fetch`       Fetch: FetchItem, FetchSection;  `messages`: Store, Copy, ...;  `search`: Search and its tree of keys,
                which `search_program` reads and `search_keys` has one by one
- `modifiers`   what modifiers of FETCH and STORE, and parameters of SELECT mean;  `url`: URLs of CATENATE;  `batches`
- `compress`    DEFLATE in both directions;  `metadata`, `notify`, `quota`: commands and responses of these
- `sequence`    `SequenceSet`: `resolve(largest)`, `indices(uids)`, `positions(count)`, `exceeds(count)`
- `mailbox`     names to and from the wire, `ListPattern`;  `utf7`;  `flags`;  `dates`;  `params`
- `cursor`      the terminals, for parsers of further verbs
- `render`      strings, sets, status responses;  `responses`: untagged data;  `response_codes`: APPENDUID and others
- `errors`      `BadCommand` and its kinds: all that framer and parser raise; `render_error` answers any of them

A session reads so (the whole of it, but for the handlers):

    framer = Framer(BEFORE_LOGIN)                      # after login: framer.limits = FramerLimits()
    while True:
        try:
            match framer.next_event():
                case NeedMore.NEED_MORE:
                    data = await stream.receive_some()
                    if not data:
                        break
                    framer.receive_data(data)
                case Continuation(reply):
                    await stream.send_all(reply)
                case LiteralStart(head, literal, reply):   # a message too large to hold
                    if await may_append(parse_command(head, utf8=session.utf8)):
                        await stream.send_all(reply)
                        body = StagedBody()
                    else:                                  # may_append has said NO
                        framer.refuse_literal()
                case LiteralData(data):
                    body.write(data)
                case LiteralEnd(literal):
                    session.bodies[literal.index] = body
                case Frame() as frame:                     # its streamed literals have data None, and their index
                    command = parse_command(frame, utf8=session.utf8)
                    if session.state not in command.states:
                        raise BadCommand(f"{command.verb} is not legal now", command.tag)
                    await session.handle(command)
        except BadCommand as error:
            if framer.in_literal:                          # parse_command(head) raised: the literal is not wanted
                framer.refuse_literal()
            await stream.send_all(render_error(error))
            if isinstance(error, StreamLost):
                break

`expect_line()` makes the next event a `RawLine`: a handler of AUTHENTICATE calls it after each challenge, one of IDLE
once, before it waits for DONE. After STARTTLS call `discard_buffer()`; COMPRESS gets its first octets from
`take_buffer()`. A session that fails to read to its end (the client went away) just drops the framer.

To add an extension: arguments and parser in a file of its own and a row in VERBS; or a row in `fetch.ITEMS`,
`search_keys.KEYS`, `search_returns.RETURN_OPTIONS`, `listing.RETURN_OPTIONS`, `mailboxes.STATUS_ITEMS`. Parameters of
SELECT, FETCH and STORE arrive raw as `Param`; `modifiers` reads them, and what it does not know is BAD.
"""
