"""The command line. ``main`` is the program; each verb is one file that imports what it needs when it runs."""

from hypgraph.cli.app import main

__all__ = ["main"]
