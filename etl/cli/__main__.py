"""``python -m etl.cli`` is ``tiendo``, where the command itself is not on the path."""

from etl.cli import app

app(prog_name="tiendo")
