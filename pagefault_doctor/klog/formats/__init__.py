"""How each family of reports reads: one row of a table for each wording."""
