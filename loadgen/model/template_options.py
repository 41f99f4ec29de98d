"""The options that make a template of the one request, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.csv_value_type import CsvFile
from loadgen.model.option import LocustArgument, Option, OptionGroup
from loadgen.model.value_types import Flag

TEMPLATE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="template", group=OptionGroup.TARGET, type=Flag(), plan_field="templating.is_on", recorded="template",
        default=False, locust=LocustArgument(),
        help="Fill {n}, {user}, {uuid}, {random:1-100} and the columns of --template-csv in URL, --header and --data, "
        "anew for each request.",
    ),
    Option(
        name="template_csv", group=OptionGroup.TARGET, type=CsvFile(), plan_field="templating.values", recorded="csv",
        is_implicit=True, metavar="FILE", locust=LocustArgument(default=""),
        help="With --template: a file whose columns are templates too, and whose rows take turns.",
    ),
)  # fmt: skip
