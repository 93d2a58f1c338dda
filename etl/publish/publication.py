"""An approved release goes out: recorded as published, put into the archive site, then sent to everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from etl import settings
from etl.load.warehouse import Connection
from etl.publish import deliver, frozen, release
from etl.publish.site import archive


def publish(
    connection: Connection,
    release_id: str,
    now: datetime,
    conf: settings.Settings,
    smtp_url: str | None = None,
    *,
    retry_failed: bool = False,
    store: deliver.Store | None = None,
) -> dict[str, Any]:
    """Record the approved release as published and send it to every active recipient (laws 11 and 12). Commits.

    Raises ReleaseError when it is not approved or its files are no longer those that were approved;
    InfrastructureError when a way out is closed, after the others were served. It is published before the first mail
    goes out: nobody holds a release that the warehouse does not know as published. A run that was killed goes on where
    it stopped, and sends nothing twice. ``retry_failed`` tries those again whose mail was definitely refused.
    The archive site has it before mails point there; what is wrong with the site is raised after everybody was served.
    ``store``: that of the settings unless given.
    """
    recipients = deliver.active_recipients(conf.reference_dir)
    channels: dict[str, deliver.Channel] = {
        "smtp": deliver.channel_for(conf, smtp_url),
        "outbox": deliver.Outbox(conf.outbox_dir),
        "store": store or deliver.store_for(conf),
    }
    release.require_approved(connection, release_id)
    release.check_files(connection, release_id, conf.out_dir)
    made, headline, _ = release.cover_parts(connection, release_id, conf.out_dir)
    where = release.folder(conf.out_dir, made)
    files = {name: (where / name, sha256) for name, sha256 in frozen.sealed(connection, release_id).items()}
    release.mark_published(connection, release_id, now)
    connection.commit()
    site = (connection, conf.out_dir, conf.site_dir)
    broken = _tried(connection, lambda: archive.build(*site, conf.site_url))
    cover = deliver.cover_of(
        release_id, made.period, made.known_at, headline, [], conf.mail_from, archive_url=conf.site_url or None
    )
    outcome = deliver.dispatch(
        connection, cover, files, recipients, channels, now,
        limit_bytes=conf.mail_limit_mb * 1_000_000, retry_failed=retry_failed,
    )  # fmt: skip
    broken = broken or _tried(connection, lambda: archive.renew(*site, release_id, conf.site_url))
    if broken:
        raise broken
    return {"release_id": release_id, **outcome}


def _tried(connection: Connection, step: Callable[[], object]) -> Exception | None:
    """What went wrong, if anything; the connection is as usable afterwards as before."""
    try:
        step()
    except Exception as error:
        connection.rollback()
        return error
    return None
