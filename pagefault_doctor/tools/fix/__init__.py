"""Tools of step 6, fix the code."""
