"""Airflow's REST API on the loopback interface."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

from etl.errors import InfrastructureError

HOST = "127.0.0.1"


def path_of(*parts: str) -> str:
    """Path below ``/api/v2``, each part percent-encoded (run ids hold ``:`` and ``+``)."""
    return "/api/v2/" + "/".join(quote(part, safe="") for part in parts)


def exchange(
    port: int, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
) -> tuple[int, str]:
    """Status and text of one HTTP exchange. Raises OSError or HTTPException when nobody answers."""
    connection = HTTPConnection(HOST, port, timeout=60)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8")
    finally:
        connection.close()


class Api:
    """The API as one user."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._port = port
        self._token: str | None = None
        login = self.call("POST", "/auth/token", {"username": user, "password": password})
        self._token = str(login["access_token"])

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer as an object; raises InfrastructureError with Airflow's own text when it is not 2xx."""
        status, text = exchange(self._port, method, path, body, self._token)
        if status >= 300:
            raise InfrastructureError(f"Airflow trả lời {status} cho {method} {path}: {text[:500]}")
        return dict(json.loads(text)) if text else {}

    def find(self, path: str) -> dict[str, Any] | None:
        """GET; None when there is no such thing, or not yet."""
        status, text = exchange(self._port, "GET", path, None, self._token)
        if status == 404:
            return None
        if status >= 300:
            raise InfrastructureError(f"Airflow trả lời {status} cho GET {path}: {text[:500]}")
        return dict(json.loads(text))
