"""From reports and facts to ranked causes with evidence; pure."""

from pagefault_doctor.diagnosis.verdict import diagnose

__all__ = ["diagnose"]
