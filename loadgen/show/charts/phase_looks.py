"""How each phase is drawn. A new phase needs a row here, and nothing else in the charts."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.records import Phase
from loadgen.show.charts.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION


@dataclass(frozen=True, slots=True)
class PhaseLook:
    """Colour and hatch, so that a grey print still tells phases apart.

    is_minor: a short phase that is not under study; these share the last step of a waterfall.
    """

    colour: str
    hatch: str = ""
    is_minor: bool = False


PHASE_LOOKS = {
    Phase.QUEUE: PhaseLook(GREY),
    Phase.DNS: PhaseLook(PURPLE, "xx"),
    Phase.CONNECT: PhaseLook(VERMILLION, "//"),
    Phase.TUNNEL: PhaseLook("#8C564B", "oo"),
    Phase.TLS: PhaseLook(ORANGE, "\\\\"),
    Phase.UPGRADE: PhaseLook("#F0E442", ".."),
    Phase.SEND: PhaseLook(SKY, is_minor=True),
    Phase.WAIT: PhaseLook(BLUE),
    Phase.RECEIVE: PhaseLook(GREEN, "--", is_minor=True),
}
