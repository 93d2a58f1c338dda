"""The warehouse as first released."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    script = Path(__file__).resolve().parents[1] / "0001_warehouse.sql"
    # The driver's own cursor: one script of many statements, in which % is just a character.
    op.get_bind().connection.driver_connection.execute(script.read_text(encoding="utf-8"))
