"""How fast this machine answers, measured so that two days can be compared."""
