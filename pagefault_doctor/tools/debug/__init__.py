"""Tools of step 5, debug the module."""
