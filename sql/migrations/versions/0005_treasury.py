"""Statements of the State Treasury and the comparison of reports with them."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    script = Path(__file__).resolve().parents[1] / "0005_treasury.sql"
    # The driver's own cursor: one script of many statements, in which % is just a character.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))
