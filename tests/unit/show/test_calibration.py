"""A calibration as text."""

from __future__ import annotations

from loadgen.show.tables.calibration import calibration_lines
from tests.support.calibrations import calibration, spread


def test_every_figure_is_named() -> None:
    text = "\n".join(calibration_lines(calibration()))
    for words in (
        "at 2,500 MHz, governor not known, virtual machine: yes",
        "clock: step 40 ns, a reading 50 ns",
        "timer, how late                    100  15.0 µs  30.0 µs  30.0 µs  30.0 µs  60.0 µs",
        "TLS, full handshake    100   300 µs",
        "Phases against packets: skipped, as tcpdump is not installed",
        "http persistent          900  20.0 µs  9.00 µs             38,000/s",
        "http close               900  20.0 µs  9.00 µs  none of those tried",
        "https close-resume       900  20.0 µs  9.00 µs                    –",
        "connect 30.0 µs, TLS 90.0 µs, send + wait 20.0 µs (by stamps)",
    ):
        assert words in text


def test_packets_have_a_table_of_their_own() -> None:
    errors = {"connect": spread(33_000), "send_wait": spread(27_000)}
    packets = {"matched": 998, "unmatched": 2, "errors_ns": errors}
    text = "\n".join(calibration_lines(calibration(packets=packets, packets_skipped="")))
    assert "Phases longer than their packets by (998 of 1,000 requests)" in text
    assert "send + wait    100  13.5 µs  27.0 µs" in text
    assert "skipped" not in text
