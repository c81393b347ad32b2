"""Redaction: replace names, addresses and identifiers in a session."""
