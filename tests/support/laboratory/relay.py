"""The relay: takes each frame off one interface and puts it on another when its delay has passed. A process of its own.

`python -m tests.support.laboratory.relay CLIENT SERVER`, in a namespace with these two interfaces. A line on standard
input is an order in JSON, and is answered by a line of JSON; the process ends with its standard input. Orders:
`{"delay": [ADDRESS, NS]}` for the frames from and to a server's address, one way; others pass at once;
`{"drops": [[SIDE, KIND, NTH, CONNECTION], ...]}`, the rules from now on; `{}`. The answer: `frames` that passed since
the last answer, how late they were (`late_p50_ns`, `late_p99_ns`, `late_max_ns`), and rules not met yet (`waiting`).

A frame is due its delay after the kernel's stamp of its arrival, so what the relay needs to read it is not added.
"""

from __future__ import annotations

import ctypes
import heapq
import json
import os
import select
import socket
import sys
import time

from tests.support.laboratory.drops import Drop, Drops
from tests.support.laboratory.segments import addresses, segment
from tests.support.laboratory.urgency import RELAY, hurry

_SPIN_NS = 100_000
"""A sleep may last this much too long: the last part of a wait is spent looking at the clock."""
_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_IGNORE_OUTGOING = 23
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_SO_TIMESTAMPNS = 35
_BUFFER_BYTES = 16 << 20
_PR_SET_TIMERSLACK = 29

SIDES = ("client", "server")


class Relay:
    """Both directions between two interfaces, the client's and the server's."""

    def __init__(self, interfaces: tuple[str, str]) -> None:
        self._sockets = tuple(_packet_socket(name) for name in interfaces)
        self._delays_ns: dict[bytes, int] = {}
        self._drops = Drops([])
        self._due: list[tuple[int, int, socket.socket, bytes]] = []  # a heap
        self._taken = 0
        self._late_ns: list[int] = []

    def run(self, orders: int) -> None:
        """Relay until the descriptor `orders` ends."""
        while True:
            now = time.monotonic_ns()
            while self._due and self._due[0][0] <= now:
                due, _, out, frame = heapq.heappop(self._due)
                self._late_ns.append(now - due)
                out.send(frame)
                now = time.monotonic_ns()
            wait_ns = self._due[0][0] - now - _SPIN_NS if self._due else 1_000_000_000
            ready, _, _ = select.select([*self._sockets, orders], [], [], max(0, wait_ns) / 1e9)
            for side, one in enumerate(self._sockets):
                if one in ready:
                    self._take(side)
            if orders in ready and not self._obey(os.read(orders, 1 << 16)):
                return

    def _take(self, side: int) -> None:
        """Take a frame off this side's interface."""
        frame, ancillary, _, _ = self._sockets[side].recvmsg(2048, 64)
        source, destination = addresses(frame)
        if self._drops.waiting:
            found = segment(frame)
            if found is not None and self._drops.takes(SIDES[side], found):
                return
        delay_ns = self._delays_ns.get(source if side else destination, 0)
        now = time.monotonic_ns()
        age_ns = time.time_ns() - _stamp_ns(ancillary) if ancillary else 0
        self._taken += 1
        # The stamp is by the wall clock; where that is set meanwhile, the age makes no sense.
        due = now + delay_ns - min(max(age_ns, 0), delay_ns)
        heapq.heappush(self._due, (due, self._taken, self._sockets[1 - side], frame))

    def _obey(self, line: bytes) -> bool:
        """Do what the line says, and answer; False where there is none."""
        if not line:
            return False
        order = json.loads(line)
        if "delay" in order:
            address, delay_ns = order["delay"]
            self._delays_ns[bytes.fromhex(address)] = delay_ns
        if "drops" in order:
            self._drops = Drops([Drop(*rule) for rule in order["drops"]])
        late = sorted(self._late_ns) or [0]
        self._late_ns = []
        answer = {
            "frames": len(late),
            "late_p50_ns": late[len(late) // 2],
            "late_p99_ns": late[len(late) * 99 // 100],
            "late_max_ns": late[-1],
            "waiting": self._drops.waiting,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        return True


def _packet_socket(interface: str) -> socket.socket:
    """Whole frames from and to this interface, each with the kernel's stamp; not those that go out."""
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    one.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    one.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER_BYTES)
    one.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    one.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    one.bind((interface, _ETH_P_ALL))
    return one


def _stamp_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The kernel's stamp of a frame's arrival: a struct timespec, by the wall clock."""
    data = ancillary[0][2]
    half = len(data) // 2
    return int.from_bytes(data[:half], sys.byteorder) * 1_000_000_000 + int.from_bytes(data[half:], sys.byteorder)


def main() -> None:
    relay = Relay((sys.argv[1], sys.argv[2]))
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)
    hurry(0, RELAY)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    relay.run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
