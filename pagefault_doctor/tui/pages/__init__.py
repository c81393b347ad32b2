"""The content of each screen: pure functions from the state to rows of text."""
