"""DWARF 4 and 5: entries, types, locations, ranges and line tables, read only where needed."""
