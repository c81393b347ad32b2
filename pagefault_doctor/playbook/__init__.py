"""Playbooks: read from YAML and checked; a pure state machine walks them."""
