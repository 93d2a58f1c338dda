"""A real Airflow on this machine, for ``make run`` and ``make up``; production has docker-compose.yml.

Airflow is never imported here: its programs are started (``processes``) and its REST API is spoken (``api``).
"""

from etl.local_airflow.month import run_month, up

__all__ = ["run_month", "up"]
