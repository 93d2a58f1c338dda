"""Loadings of Treasury statements: a replaced one can speak again."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    script = Path(__file__).resolve().parents[1] / "0008_treasury_statement.sql"
    # The driver's own cursor: one script of many statements, in which % is just a character.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))
