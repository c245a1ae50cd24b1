"""Alarm records: one per excursion, escalated in place, acknowledged by people, amended by late finds."""
