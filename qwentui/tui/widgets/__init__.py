"""The parts of a screen; none of them knows the app."""
