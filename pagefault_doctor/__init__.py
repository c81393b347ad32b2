"""pfdoctor: a guided troubleshooting wizard for Linux kernel page faults."""

__version__ = "0.1.0"
