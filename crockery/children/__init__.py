"""Child processes of the server: programs of ours that work on another core, told over stdin and stdout.

    frames   what the two say to each other, sans-IO
    child    a child as the server sees it
    parent   the server as its child sees it

What each kind of child says is with those that use it: `followers.wire`, `delivery.signing.process`. Children keep
nothing that is not in the log: the server may end one at any time, and does what it was to do in another way, or later.
"""
