"""Names, addresses and identifiers taken out of a report."""
