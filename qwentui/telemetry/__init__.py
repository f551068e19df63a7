"""What the gauges show."""
