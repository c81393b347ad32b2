"""The wizard's screens, the only code that imports Textual. `launch` starts it."""
