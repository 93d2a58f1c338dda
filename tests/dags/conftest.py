"""One Airflow environment for all DAG tests, set before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).resolve().parents[2] / "dags"

os.environ.update(
    {
        "AIRFLOW_HOME": tempfile.mkdtemp(prefix="airflow-test-"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        # A DAG file whose content differs from one reading to the next makes a new version each time.
        "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
    }
)


@pytest.fixture(scope="session")
def dagbag() -> Any:
    """The DAGs as the DAG processor reads them; needs no database."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(DAGS)
