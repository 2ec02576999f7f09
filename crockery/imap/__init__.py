"""IMAP: the server's side. `wire` has the grammar, sans-IO; here is what it means.

The way of a command: `server` takes it from the framer, `running` has its handler in `verbs` do it and answers,
`intake` and `output` are the two ends towards the client.

    session      what is known of a connection: state, account, selected mailbox
    features     what the client has switched on, by ENABLE or by using it
    selected     the selected mailbox as its client knows it: sequence numbers, what must be told when
    resync       what changed in it while a client was away (QRESYNC)
    recent       which messages are \\Recent, in memory only
    fetching     FETCH items to octets, many messages at once
    sending      slice by slice to the client;  streaming: one large message in frames
    matching     SEARCH keys against columns and contents;  looking: for words, in many messages at once
    watching     what the client hears of beside its commands (NOTIFY);  telling: when and how
    messages     contents of messages, for FETCH and SEARCH
    sorting      sort keys as columns, for SORT and THREAD
    results      what is told of messages found;  contexts: searches kept up to date;  filters: named ones
    uploads      large messages on their way in;  assembling: messages put together of pieces (CATENATE)
    progress     word that a long command goes on
    capability   what is offered when;  errors: refusals and their response codes

To add an extension: its grammar in `wire`, a file in `verbs` and a row in its table, a name in `capability`.
"""
