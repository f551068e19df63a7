"""The transcript: one line-API widget whose cost per token does not grow."""
