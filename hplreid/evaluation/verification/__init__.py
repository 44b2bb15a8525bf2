"""Scores of pairs: TAR at FAR, EER and thresholds, and open-set search (FPIR, FNIR).

Ranked retrieval lives in ``ranking``; drawings of the reports in ``visualization``.
"""

from .open_set_report import OpenSetReport, open_set_report
from .verification_report import VerificationReport, verification_report

__all__ = [
    'OpenSetReport',
    'VerificationReport',
    'open_set_report',
    'verification_report',
]
