"""loadgen: what does HTTP connection reuse buy, here, and how sure is that?

Importing this package changes nothing in the interpreter: no monkey-patching, no signal handler, no output.
"""

import sys

COMMAND = (sys.executable, "-P", "-m", "loadgen")
"""How our own command is started as a child process, whatever lies in the current folder."""

__version__ = "0.1.0"
