"""Slips 风险预警处置报告单: every early warning has one, and it ends only when the regulator closes it."""
