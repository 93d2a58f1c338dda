"""Servers and databases of the tests: nobody needs their data after a power cut, or after the test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

from etl import settings
from etl.load import server

_numbers = itertools.count(1)


def start_unsafe(conf: settings.Settings) -> str:
    """Start the embedded server so that it waits for no disk, now and whenever it is started again; its address."""
    address = server.start(conf)
    with psycopg.connect(server.url("postgres", conf), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
    return address


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
