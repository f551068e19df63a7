"""`python -m qwentui`."""

from qwentui.cli import main

main()
