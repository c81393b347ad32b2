"""Tools of step 2, identify the culprit module."""
