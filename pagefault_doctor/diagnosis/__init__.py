"""From reports and facts to ranked causes with evidence; pure."""

from pagefault_doctor.diagnosis.verdict import diagnose, main_report

__all__ = ["diagnose", "main_report"]
