"""Sending: claim before send (law 11), for releases and for any other mail that may go out once.

``recipients`` who gets which files by which channel · ``message`` the mail · ``channels`` SMTP, outbox folder, object
store · ``ledger`` the claim and its outcome · ``dispatch`` a release to everybody · ``overview`` what became of it, and
how a person settles what is not known · ``bounces`` mails that came back.
"""

from etl.publish.deliver.channels import (
    AmbiguousError,
    Channel,
    Outbox,
    Parcel,
    RefusedError,
    Smtp,
    Store,
    channel_for,
    store_for,
)
from etl.publish.deliver.dispatch import deliver, dispatch, due
from etl.publish.deliver.ledger import Ledger, Outcome, counted, send_once
from etl.publish.deliver.message import CONTENT_TYPES, Cover, compose, cover_of
from etl.publish.deliver.recipients import GROUPS, Recipient, active_recipients, files_for

__all__ = [
    "CONTENT_TYPES",
    "GROUPS",
    "AmbiguousError",
    "Channel",
    "Cover",
    "Ledger",
    "Outbox",
    "Outcome",
    "Parcel",
    "Recipient",
    "RefusedError",
    "Smtp",
    "Store",
    "active_recipients",
    "channel_for",
    "compose",
    "counted",
    "cover_of",
    "deliver",
    "dispatch",
    "due",
    "files_for",
    "send_once",
    "store_for",
]
