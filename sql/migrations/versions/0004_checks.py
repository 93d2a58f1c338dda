"""Findings that can be followed, answers to them, reports that an officer admits; the catalogue per expectation."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    script = Path(__file__).resolve().parents[1] / "0004_checks.sql"
    # The driver's own cursor: one script of many statements, in which % is just a character.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))
