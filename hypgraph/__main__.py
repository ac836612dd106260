"""``python -m hypgraph`` is ``hypgraph``."""

from hypgraph.cli import main

main()
