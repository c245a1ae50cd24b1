"""Fields of files that an import of the registry would change and that wait for a second person, as everywhere else.

A form and the workbook of one file ask for approval of the fields that are declared so; the registry's own workbook
must be no way around it. What is new comes as it is: there is nothing yet that a second person could miss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.model import Principal
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.model import SINGLE, Group
from hazwatch.registry.files.schemas import SCHEMAS, kind_of
from hazwatch.registry.files.store import ops_text
from hazwatch.registry.files.tables import FileChange
from hazwatch.registry.plan import Plan, SheetPlan
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH

#: State of a change that waits.
OPEN = "open"


class Held(NamedTuple):
    """Edits of one file that wait; ``path``: of its owner."""

    owner: str
    path: str
    ops: list[Op]


def hold_back(plan: Plan) -> list[Held]:
    """Take changes of such fields of known rows out of a plan, by file."""
    held: dict[str, Held] = {}
    for schema in SCHEMAS.values():
        for group in schema.groups:
            sheet = plan.sheets.get(group.table)
            if sheet is None:
                continue
            for values in sheet.changed:
                ops = _taken_out(group, sheet, values)
                if ops:
                    owner = values["code"][:ENTERPRISE_LENGTH] if group.many else values["code"]
                    held.setdefault(owner, Held(owner, values["path"], [])).ops.extend(ops)
            sheet.settle()
    return list(held.values())


def _taken_out(group: Group, sheet: SheetPlan, values: dict[str, object]) -> list[Op]:
    """The edits of one row that wait; the row keeps what is in force."""
    code = str(values["code"])
    old: Mapping[str, object] = sheet.old[code]
    ops = []
    for field in group.fields:
        if field.approved and field.column and old[field.column] != values[field.column]:
            row = code if group.many else SINGLE
            ops.append(Op(group.key, row, field.key, old[field.column], values[field.column]))
            values[field.column] = old[field.column]
    return ops


def propose(session: Session, who: Principal, held: Sequence[Held], source: str, now: int) -> list[int]:
    """Write what waits as changes of the files, and their numbers; what waits already is not proposed again."""
    # scope: node-internal because the plan has checked every row against the importer's scope
    numbers = []
    for one in held:
        text = ops_text(one.ops)
        same = select(FileChange.id).where(FileChange.owner == one.owner, FileChange.state == OPEN)
        number = session.scalar(same.where(FileChange.ops == text))
        if number is None:
            row = FileChange(
                owner=one.owner, path=one.path, at=now, who=who.username, why=f"档案导入 {source}", state=OPEN,
                source=f"登记工作簿 {source}"[:200], ops=text,
            )  # fmt: skip
            session.add(row)
            session.flush()
            number = row.id
            detail = {"waiting": len(one.ops), "kind": kind_of(one.owner).value, "source": source}
            audit.record(session, now, who, "file.change", one.owner, one.path, detail)
        numbers.append(number)
    return numbers
