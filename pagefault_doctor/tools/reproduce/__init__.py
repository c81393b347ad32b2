"""Tools of step 3, reproduce the fault; step 7 uses them again."""
