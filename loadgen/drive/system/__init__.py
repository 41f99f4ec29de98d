"""The machine around a block: kernel counters, sockets, ports, the server's process, loop lag. Sends nothing."""
