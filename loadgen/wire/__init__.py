"""One connection to one target, from the name to the last byte. Knows no policy, no block and no file.

How it works. A `Connection` is a `Lifecycle` (lifecycle.py): one state at a time, one table of legal transitions, and
the time at which each state was entered. The states are the phases, so a phase's duration is the distance between two
entries. The connection asks a `Route` for a `Transport` (TCP, TLS, or either through a proxy's tunnel), and gevent's
loop calls it back when that can be read or written. `ConnectionSetup` opens and ends a connection; `Connection` adds
exchanges and the one read loop; subclasses pass the bytes that were read to a protocol: HTTP/1.x responses, one at a
time or in a `Pipeline`; WebSocket messages; HTTP/2 streams. The protocols are sans-IO: they take bytes, and know no
socket and no clock. Each exchange ends in one call of `Listener.exchange_done`, with a status code or -ErrorKind.
Nothing is retried, redirected or reconnected here.
"""
