"""What an export format is, and what it may read of a run. Knows no format and no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from loadgen.measure.data.rows import Samples
from loadgen.model.diff_record import DiffRecord
from loadgen.model.summary import Summary


@dataclass
class RunData:
    """A run as exporters read it. Its charts are drawn when the first exporter asks for them."""

    summary: Summary
    samples: Samples | None = None
    """None while the run goes on, and where only its summary is at hand."""
    diff: DiffRecord | None = None
    """What changed since the runs of --baseline; None without one."""
    on_chart: Callable[[int, int, str], None] = lambda _number, _of, _name: None
    """Called before each chart is drawn: which it is, of how many, and its name."""

    draws: bool = True
    """Charts are drawn as pictures, too; a page's script draws them from the summary in any case."""

    @cached_property
    def charts(self) -> dict[str, dict[str, bytes]]:
        """The charts that say something about the run, in the order of a page: each as `png` and `svg`."""
        if not self.draws:
            return {}
        # Here, as matplotlib takes long to import, and most formats need none of it.
        from loadgen.show.charts import charts_of, draw

        names = charts_of(self.summary)
        drawn = {}
        for number, name in enumerate(names, start=1):
            self.on_chart(number, len(names), name)
            drawn[name] = draw(name, self.summary)
        return drawn


class Written(Enum):
    """When a format's file is written into a run's folder."""

    ALWAYS = "always"
    UNLESS_NO_CHARTS = "unless --no-charts is given"
    ON_REQUEST = "where --export asks for it"


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format: text in UTF-8, unless it is binary."""

    name: str
    """The word that chooses it."""
    file_name: str
    """Its file in a run's folder."""
    title: str
    """What the file is, where a download or a link is named after it."""
    help: str
    """One line for --help."""
    written: Written
    write: Callable[[RunData, Any], None]
    """Writes the run to a text stream, or to a binary one where the format is binary. Raises OSError."""
    is_binary: bool = False
    reads_samples: bool = False
    """It is made of samples, which are there once the run has ended."""
    needs: str = ""
    """A package that loadgen comes without."""
    extra: str = ""
    """The extra of loadgen that brings it."""
    appends_to: str = ""
    """The environment variable that names the file to append to, where no path is given."""
    remarks: Callable[[RunData], str] | None = None
    """Whole lines for standard error that belong to it."""
    send: Callable[[RunData, str], None] | None = None
    """Sends the run to an http or https URL, where the format has that. Raises OSError."""
