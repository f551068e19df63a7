"""qwentui: talk to a model that runs on one GPU of your own, and trust what the screen says."""

__version__ = "0.1.0"
