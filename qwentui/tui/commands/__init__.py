"""What can be typed in the composer instead of a prompt."""
