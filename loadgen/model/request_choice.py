"""Which of several requests goes on a connection, from the numbers of both alone. Knows no request.

So no row has to hold it: what a worker sent is worked out again from its rows. The points (n·a + k·b) modulo 1 of two
irrational steps are spread evenly (H. Weyl, 1916): after any number of requests each has its share, to within a few.

Where requests have several origins, the user's own count says which origin is next, a connection's number repeats it,
and all of the above is for the requests of one origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

_WHOLE = 1 << 32
_BY_CONNECTION = 2_654_435_769  # of it the share 0.618 …, the golden ratio less 1
_BY_REQUEST = 1_779_033_704  # of it the share 0.414 …, the square root of 2 less 1


def point(connection: Any, request_index: Any) -> Any:
    """Where the request falls, from 0 to 2³² - 1. Both are whole numbers, or both arrays of 64-bit integers.

    connection: its number in its worker. request_index: the requests before it on that connection.
    """
    return (connection * _BY_CONNECTION + request_index * _BY_REQUEST) & (_WHOLE - 1)


def origin_of(connection: Any, origins: int) -> Any:
    """Which of this number of origins a connection with this number goes to, from 0; see `number_at_origin`."""
    return connection % origins


def number_at_origin(connection: Any, origins: int) -> Any:
    """Its number among the connections to the same origin."""
    return connection // origins


def upper_edges(weights: Sequence[int]) -> list[int]:
    """Below which point each request's part ends; the parts are as long as the weights say."""
    total = sum(weights)
    return [_WHOLE * part // total for part in accumulate(weights)]
