"""Exact prompt tokens: the server's vocabulary, the server's template, counted here."""
