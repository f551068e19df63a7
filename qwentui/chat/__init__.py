"""The domain: pure values and rules of a conversation; no I/O, no clock, no framework."""
