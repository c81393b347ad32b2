"""Tools of step 4, analyse the crash dump."""
