"""Playbooks: read and checked from YAML, and walked by a pure state machine."""
