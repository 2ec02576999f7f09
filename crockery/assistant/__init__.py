"""Conversation by mail: what Crockery asks and tells people, and what they answer. Pure, but for `conversation`: no
socket, no clock, no log.

    facts            what letters are about: frozen values, filled in from the log by the caller
    questions        mail is held: three kinds of trouble and the changed key, a file each; reminders; "say it again"
    confirmations    done, undone, too late, not now
    ..._letter       what Crockery tells of itself: a full account, a smart host that fails, a restored copy
    letter, post     how letters look, as text and HTML; how they become mails in the thread of the original
    wording          turns of phrase that several letters share
    tokens           the addresses for answers
    may_answer       which mail can be an answer at all
    reply_text       what is new in a reply (html_text: in HTML too)
    answers          what it asks for; verbs, language and languages/ are its words, as data
    remarks          what may stand below an answer without a doubt about it
    conversation     all of it joined to the log

The way of a question. The queue holds a message and has a token made (`tokens.make_token`); `questions.ask` gives the
letter, `post.compose_letter` the mail. A mail that an account submits to `tokens.token_address` is an answer if
`may_answer.why_no_answer` says None; `answers.read_answer` reads it and `answers.is_offered` checks it against
`questions.offered`. If that fails, `questions.ask_again` is sent and nothing is done; else the action, and its
confirmation, whose own token offers UNDO. Who may use a token, until when, and what was asked under it, the log says.

A new kind of trouble is a class in `facts`, a file in `questions` and a line in its `KINDS`. A new command by mail
("what DNS records do I need?") is a file of its own: the phrases that mean it, and the letter that answers it.
"""
