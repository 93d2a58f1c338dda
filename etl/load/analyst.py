"""What analysts may do in the warehouse: read ``mart`` and ``ref``, and nothing else.

The role ``tiendo_analyst`` holds the rights and cannot log in; a login is a member of it. The rights are given anew at
each migrate, with the marts. What PostgreSQL lets everybody do (temporary tables, functions of any schema, large
objects) is taken away from everybody as far as the owner of the warehouse may do so.
"""

from __future__ import annotations

import secrets
from typing import Any

import psycopg
from psycopg import sql

from etl.errors import UsageError

Connection = psycopg.Connection[Any]

ROLE = "tiendo_analyst"
OPEN, CLOSED = ("mart", "ref"), ("core", "raw", "release", "audit")
STATEMENT_TIMEOUT, IDLE_TIMEOUT = "5min", "15min"
"""A query that runs longer is ended; a session that sits in a transaction would hold up the next migrate."""

_LARGE_OBJECTS = "'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_open', 'lo_put', 'lo_unlink', 'lo_truncate', 'lowrite'"


def grant(connection: Connection) -> None:
    """The rights of the role, and those of everybody that would reach further. Idempotent; the caller commits.

    Without the role (an office where only administrators make roles) nobody gets anything.
    """
    _close(connection)
    _screen(connection)
    if not exists(connection):
        return
    for schema in OPEN:
        at = sql.Identifier(schema)
        for statement in (
            "grant usage on schema {} to tiendo_analyst",
            "grant select on all tables in schema {} to tiendo_analyst",
            "grant execute on all functions in schema {} to tiendo_analyst",
        ):
            connection.execute(sql.SQL(statement).format(at))


def _screen(connection: Connection) -> None:
    """Views that hide what is not published apply their own conditions first: else a condition that fails on a hidden
    row would tell its content in the error."""
    for (view,) in connection.execute(
        """
        select c.oid::regclass::text from pg_class as c
        where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v'
            and pg_get_viewdef(c.oid) ~ '\\mrelease\\.(release|figure|finding)\\M'
            and not coalesce('security_barrier=true' = any(c.reloptions), false)
        """
    ).fetchall():
        connection.execute(f"alter view {view} set (security_barrier = true)")


def exists(connection: Connection) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", (ROLE,)).fetchone() is not None


def _close(connection: Connection) -> None:
    """Take from PUBLIC what it has by PostgreSQL's own defaults. Only what is still there: a revoke without effect
    would still lock the row of the database."""
    row = connection.execute("select current_database(), has_database_privilege('public', current_database(), 'temp')")
    database, temporary = row.fetchone() or ("", False)
    if temporary:
        connection.execute(sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(database)))
    if connection.execute("select has_schema_privilege('public', 'public', 'create')").fetchone() == (True,):
        connection.execute("revoke create on schema public from public")
    for schema in (*OPEN, *CLOSED):
        connection.execute(
            sql.SQL("revoke execute on all functions in schema {} from public").format(sql.Identifier(schema))
        )
    if connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() != (True,):
        return  # functions of the system belong to the administrator
    for (signature,) in connection.execute(
        f"""
        select p.oid::regprocedure::text from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in ({_LARGE_OBJECTS})
            and has_function_privilege('public', p.oid, 'execute')
        """
    ).fetchall():
        connection.execute(f"revoke execute on function {signature} from public")


def create_login(connection: Connection, name: str) -> str:
    """A login that may do what the role may, read-only by default and with time limits; returns its password.

    The server never sees the password in clear text. The caller commits. Raises UsageError when a role of that name is
    there already or the warehouse has no role of analysts.
    """
    if not exists(connection):
        raise UsageError(f"Kho dữ liệu chưa có vai trò {ROLE}; đề nghị quản trị viên tạo: create role {ROLE} nologin;")
    if connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
        raise UsageError(f"Đã có tài khoản {name}; xóa bằng: tiendo db analyst {name} --drop")
    grant(connection)
    password = secrets.token_urlsafe(18)
    hidden = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    login = sql.Identifier(name)
    connection.execute(sql.SQL("create role {} login password {}").format(login, sql.Literal(hidden)))
    connection.execute(sql.SQL("grant tiendo_analyst to {}").format(login))
    for setting, value in (
        ("default_transaction_read_only", "on"),
        ("statement_timeout", f"'{STATEMENT_TIMEOUT}'"),
        ("idle_in_transaction_session_timeout", f"'{IDLE_TIMEOUT}'"),
        ("search_path", "mart, ref"),
    ):
        connection.execute(sql.SQL(f"alter role {{}} set {setting} to {value}").format(login))
    return password


def drop_login(connection: Connection, name: str) -> None:
    """Take the login away; raises UsageError unless it is one of an analyst and of nothing else. The caller commits."""
    held = connection.execute(
        """
        select array_agg(g.rolname::text) from pg_auth_members as m
        inner join pg_roles as r on m.member = r.oid
        inner join pg_roles as g on m.roleid = g.oid
        where r.rolname = %s and r.rolcanlogin
        """,
        (name,),
    ).fetchone()
    if held != ([ROLE],):
        raise UsageError(f"{name} không phải là tài khoản của người phân tích số liệu.")
    connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
