"""One connection to one target, from the name to the last byte. Knows no policy, no block and no file.

How it works. A `Connection` is a `Lifecycle` (lifecycle.py): one state at a time, one table of legal transitions, and
the time at which each state was entered. The states are the phases, so a phase's duration is the distance between two
entries. The connection asks a `Route` for a `Transport` (TCP, TLS, or either through a proxy's tunnel), and gevent's
loop calls it back when that can be read or written. It has three parts: `ConnectionSetup` opens and ends it,
`Connection` adds exchanges and the one read loop, and a subclass gives the bytes that were read to a protocol: responses
of HTTP/1.x, one at a time or in a `Pipeline`; messages of WebSocket; streams of HTTP/2. The protocols are sans-IO: they
take bytes, and know no socket and no clock. Each exchange ends in one call of `Listener.exchange_done`, with a status
code or -ErrorKind, and nothing is retried, redirected or reconnected here.
"""
