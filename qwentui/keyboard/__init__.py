"""The keys: which there are, what they are called, and what becomes of the table when a user rebinds some."""
