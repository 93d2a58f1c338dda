"""Settings: where things are. Every one can be given as an environment variable ``TIENDO_…`` or in ``.env``."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """The folder that holds ``sql/`` and ``expectations/``: the checkout, or inside the package in a wheel."""
    packed = _PACKAGE / "_assets"
    return packed if packed.is_dir() else _PACKAGE.parent


class Settings(BaseSettings):
    """Paths and addresses. Relative paths count from the current folder."""

    model_config = SettingsConfigDict(env_prefix="TIENDO_", env_file=".env", env_ignore_empty=True, extra="ignore")

    home: Path = Field(default=Path("var"), description="Everything produced goes under here")
    province: str = Field(default="lang_son", description="Folder under etl/reference/ with the province's data")
    warehouse_url: str | None = Field(
        default=None, description="postgresql://… of the warehouse; empty: the embedded server under home"
    )
    inbox: Path | None = Field(default=None, description="Folder inbox; empty: home/inbox")
    inboxes: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of all inboxes, separated by blanks (etl/collect/inbox/address.py); empty: the folder",
        repr=False,
    )
    words_dir: Path | None = Field(
        default=None, description="Folder with the office's own wording (etl/publish/words/README.md); empty: none"
    )
    notices: Path | None = Field(
        default=None, description="Folder of notices and filled-in workbooks; empty: home/notices"
    )
    smtp_url: str | None = Field(
        default=None, description="smtp://[user:password@]host:port; empty: .eml files go to home/outbox"
    )
    mail_from: str = Field(default="tiendo@localhost", description="Sender of the summaries")

    mail_limit_mb: float = Field(
        default=20, gt=0, description="A mail about a release that would be larger carries only the one-page brief"
    )
    store: str | None = Field(
        default=None,
        description="Object store of the published files: s3://… or file:///…; empty: folder store under home",
        repr=False,
    )
    bounces: str | None = Field(
        default=None,
        description="Mailbox or folder into which undeliverable mails come back: imaps://… or file:///…; empty: none",
        repr=False,
    )
    site_url: str = Field(
        default="",
        description="https://… of the archive site, for its feed and mails that cannot carry all files; empty: none",
    )

    @field_validator("inboxes", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @property
    def root(self) -> Path:
        return self.home.resolve()

    @property
    def inbox_dir(self) -> Path:
        return self.inbox.resolve() if self.inbox else self.root / "inbox"

    @property
    def own_words_dir(self) -> Path | None:
        return self.words_dir.resolve() if self.words_dir else None

    @property
    def notices_dir(self) -> Path:
        return self.notices.resolve() if self.notices else self.root / "notices"

    @property
    def archive_dir(self) -> Path:
        return self.root / "archive"

    @property
    def out_dir(self) -> Path:
        return self.root / "out"

    @property
    def outbox_dir(self) -> Path:
        return self.root / "outbox"

    @property
    def store_dir(self) -> Path:
        return self.root / "store"

    @property
    def site_dir(self) -> Path:
        return self.root / "site"

    @property
    def pgdata_dir(self) -> Path:
        return self.root / "postgres"

    @property
    def reference_dir(self) -> Path:
        return _PACKAGE / "reference" / self.province


@lru_cache(maxsize=1)
def get() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def reload() -> Settings:
    """Read them again; for tests and for commands that change the environment."""
    get.cache_clear()
    return get()


def cpu_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
