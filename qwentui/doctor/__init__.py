"""Whether this machine is set up right: looked at from all sides, changing nothing."""
