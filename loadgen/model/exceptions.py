"""The two reasons why there is no run, each with one line for people."""


class PlanError(ValueError):
    """The plan or the command line is wrong; nothing was sent. Exit code 2."""


class TargetError(Exception):
    """The target gave no valid sample (unresolvable, refused, untrusted, silent). Exit code 3."""
