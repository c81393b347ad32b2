"""The wizard's face, and the only part that knows Textual. `launch` starts it."""
