"""loadgen: what does HTTP connection reuse buy, here, and how sure is that?

Importing this package changes nothing in the interpreter: no monkey-patching, no signal handler, no output.
"""

__version__ = "0.1.0"
