"""What was in force before rules needed two people stays in force; slips learn to which tiers they have climbed."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from hazwatch.records import make_engine, make_sessions, reading, unit_of_work
from hazwatch.records.schema import load_tables, migrate
from hazwatch.slips.tables import SlipRow, SlipRules
from hazwatch.warnings import rules_book
from hazwatch.warnings.rules import parse
from hazwatch.warnings.tables import WarningRules

NOON = 1_795_417_200_000


def test_rules_and_running_clocks_are_carried_over(empty_url: str) -> None:
    load_tables()
    engine = make_engine(empty_url)
    sessions = make_sessions(engine)
    clocks = {
        "confirm": {"started": NOON, "due": NOON + 9, "wake": None, "stopped": None, "told": [2, 3]},
        "start": {"started": NOON, "due": NOON + 5, "wake": NOON, "stopped": None, "told": [3]},
        "feedback": {"started": NOON, "due": NOON + 1, "wake": None, "stopped": NOON, "told": [4]},
    }
    with unit_of_work(sessions) as session:
        config = Config()
        config.set_main_option("script_location", "hazwatch.records:migrations")
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0009")
        for minutes in (10, 20):
            rules = parse({"merge_min": minutes})
            session.execute(
                sa.text(
                    'INSERT INTO warning_rules (body, digest, why, "by", at) VALUES (:body, :digest, :why, :by, :at)'
                ),
                {"body": json.dumps(rules.form()), "digest": rules.digest(), "why": "试点", "by": "wang", "at": NOON},
            )
        session.execute(
            sa.text(
                "INSERT INTO slip_rules (node, body, username, at, path) VALUES ('410900', '{}', 'li', :at, '/x/')"
            ),
            {"at": NOON},
        )
        columns = {
            "id": "BG1", "warning": "YJ1", "kind": "source", "object": "x", "name": "x", "cause": "A", "state": "made",
            "colour": 2, "worst": 2, "opened_at": NOON, "due_at": NOON + 5, "version": 1, "path": "/x/",
            "body": json.dumps({"clocks": clocks}),
        }  # fmt: skip
        names = ", ".join(columns)
        session.execute(
            sa.text(f"INSERT INTO slip ({names}) VALUES ({', '.join(f':{n}' for n in columns)})"),  # noqa: S608  # ours
            columns,
        )
    migrate(empty_url)
    with reading(sessions) as session:
        assert rules_book.in_force(session).merge_min == 20
        told = session.execute(sa.select(WarningRules.state, WarningRules.base).order_by(WarningRules.id)).all()
        assert [tuple(row) for row in told] == [("retired", ""), ("approved", parse({"merge_min": 10}).digest())]
        clock = session.scalars(sa.select(SlipRules)).one()
        assert (clock.node, clock.state, clock.by, clock.decided_by) == ("410900", "approved", "li", "li")
        slip = session.scalars(sa.select(SlipRow)).one()
        assert (slip.due_park, slip.due_county, slip.due_city, slip.due_province) == (None, NOON + 9, NOON + 5, None)
    engine.dispose()
