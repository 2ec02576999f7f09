"""The composition root: opens the log, builds the services, listens, serves, and stops in order.

`run` is a lifetime: everything lives in its nurseries, and it returns when all is written. What others do wrong at the
start (no log, port taken, no permission) are exceptions whose text is one sentence for a person: `StartError` lists
them.

Rooms: `options` (how to run), `opening` (the log, whether it is a copy, where it is), `serving` (services, listeners,
connections, the stop), `certificate` (which certificate is in use, and its change), `eraser` (zeros over what is given
up), `outgoing` (all tasks that send mail), `asking`, `quota` and `smart_host` (tasks that write to people; `postmaster`
is where their letters to whoever runs the server go), `init` (a new log with a postmaster and a certificate).
"""

from crockery.app.init import InitError, initialise
from crockery.app.options import Options
from crockery.app.serving import Server, StartError, run, run_until_signal, running

__all__ = ["InitError", "Options", "Server", "StartError", "initialise", "run", "run_until_signal", "running"]
