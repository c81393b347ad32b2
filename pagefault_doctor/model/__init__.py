"""The values that every other package speaks in: frozen, typed, without I/O."""
