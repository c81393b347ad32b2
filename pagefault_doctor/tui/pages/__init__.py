"""What each screen says: pure functions from what is known to rows of text."""
