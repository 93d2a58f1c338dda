"""Findings of the checks of a whole period, stored with its release."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    script = Path(__file__).resolve().parents[1] / "0006_period_checks.sql"
    # The driver's own cursor: one script of many statements, in which % is just a character.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))
