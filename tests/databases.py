"""Throw-away databases on the tests' server: copies of one that is ready, dropped when they are no longer needed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

_numbers = itertools.count(1)


@contextmanager
def copy_of(address: str) -> Iterator[str]:
    """Address of a copy of the database at ``address``, to which nobody may be connected meanwhile."""
    parts = urlsplit(address)
    source = parts.path.lstrip("/")
    name = f"{source}_{next(_numbers)}"
    server = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {name} template {source}")
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"drop database {name} with (force)")
