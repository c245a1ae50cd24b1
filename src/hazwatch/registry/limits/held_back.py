"""Limits of points that an import would change: they become a proposal, for an import is one person's word."""

from __future__ import annotations

from hazwatch.registry.limits.model import Item, LimitSet, Subject, faults
from hazwatch.registry.plan import Plan

FIELDS = LimitSet.ENTERPRISE.fields


def hold_back(plan: Plan) -> list[Item]:
    """Take changes of limits of known points out of a plan; points that change in nothing else become unchanged.

    Ranges, names and addresses stay in the plan; new points keep the limits that they come with.
    """
    sheet = plan.sheets["points"]
    items = []
    for values in sheet.changed:
        old = sheet.old[values["code"]]
        subject = Subject(
            values["code"], values["name"], values["unit"], values["range_low"], values["range_high"]
        )  # fmt: skip
        before = {name: old[name] for name in FIELDS}
        item = Item(old["index"], subject, before, {name: values[name] for name in FIELDS}).changed()
        if item.after:
            items.append(item)
            values.update(before, limit_fault=";".join(faults(subject, before))[:500] or None)
    sheet.settle()
    return items
