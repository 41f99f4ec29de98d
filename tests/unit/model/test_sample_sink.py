"""A sink is called by position, so its parameters are the fields of the rows, in their order."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from loadgen.measure.data.recorder import Recorder
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
from loadgen.model.sample_sink import RunSink, SampleSink


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (SampleSink.exchange, EXCHANGE_FIELDS),
        (Recorder.exchange, EXCHANGE_FIELDS),
        (SampleSink.connection, CONNECTION_FIELDS),
    ],
    ids=["exchange", "recorder's exchange", "connection"],
)
def test_parameters_are_the_fields(method: Callable[..., None], fields: tuple[str, ...]) -> None:
    assert tuple(inspect.signature(method).parameters) == ("self", *fields)


def test_a_sink_must_say_what_it_does() -> None:
    sink = RunSink()
    with pytest.raises(NotImplementedError):
        sink.exchange(*range(len(EXCHANGE_FIELDS)))
    with pytest.raises(NotImplementedError):
        sink.connection(*range(len(CONNECTION_FIELDS)))
    with pytest.raises(NotImplementedError):
        sink.block({})
    with pytest.raises(NotImplementedError):
        assert sink.exchanges
