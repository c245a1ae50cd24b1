"""Short words for the declarations of files."""

from __future__ import annotations

from hazwatch.registry.files.model import Field, Kind


def day(key: str, title: str, *, must: bool = False, ends: bool = False, approved: bool = False) -> Field:
    """A date; ``ends``: it ends the validity of its row."""
    return Field(key, title, Kind.DATE, must=must, ends=ends, approved=approved)


def amount(key: str, title: str, unit: str = "", *, must: bool = False, hint: str = "") -> Field:
    """A number from zero on."""
    return Field(key, title, Kind.NUMBER, must=must, low=0, unit=unit, hint=hint)


def count(key: str, title: str, *, must: bool = False, unit: str = "人") -> Field:
    """A whole number from zero on."""
    return Field(key, title, Kind.INTEGER, must=must, low=0, high=10_000_000, unit=unit)


def flag(key: str, title: str, *, must: bool = False) -> Field:
    """Yes or no."""
    return Field(key, title, Kind.YES_NO, must=must)


def choice(key: str, title: str, choices: tuple[str, ...], *, must: bool = False, approved: bool = False) -> Field:
    """One of some words."""
    return Field(key, title, Kind.CHOICE, must=must, approved=approved, choices=choices)


def phone(key: str, title: str, *, must: bool = False) -> Field:
    """A telephone number."""
    return Field(key, title, Kind.PHONE, must=must, limit=20)


def place(*, must: bool = False) -> tuple[Field, Field]:
    """Longitude and latitude, CGCS2000."""
    return (
        Field("lon", "经度", Kind.NUMBER, must=must, low=73, high=136, unit="°", hint="CGCS2000"),
        Field("lat", "纬度", Kind.NUMBER, must=must, low=3, high=54, unit="°", hint="CGCS2000"),
    )


NOTE = Field("note", "备注", Kind.LONG, limit=1000)
