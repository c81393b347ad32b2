"""Tools of step 1, check the kernel logs."""
