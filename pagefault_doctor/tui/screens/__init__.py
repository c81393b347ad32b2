"""The screens; each shows rows of `pages` and asks for keys."""
