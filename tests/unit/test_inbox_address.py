"""Addresses of inboxes, what folders and senders say, and texts that show no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl import settings
from etl.collect import inbox
from etl.collect.inbox import address as a
from etl.collect.place import Places, Said
from etl.errors import InboxDownError, UsageError
from etl.reference import province


@pytest.mark.parametrize(
    ("text", "name", "connection"),
    [
        ("file:///data/inbox", "file:///data/inbox", None),
        ("sftp://thu:m%40t%3A@sftp.example.invalid:2222/den", "sftp://thu@sftp.example.invalid:2222/den", None),
        ("sftp://thu@sftp.example.invalid/den?known_hosts=/etc/k", "sftp://thu@sftp.example.invalid/den", None),
        ("sftp://thu_nhan@/den", "sftp://thu_nhan@/den", "thu_nhan"),
        ("s3://AKIA:secret@Bao-Cao/den", "s3://Bao-Cao/den", None),
        ("s3://bao-cao/den", "s3://bao-cao/den", None),
        ("s3://kho@bao-cao/den", "s3://kho@bao-cao/den", "kho"),
        ("imaps://a%40x.invalid:p@imap.x.invalid/INBOX", "imaps://a%40x.invalid@imap.x.invalid/INBOX", None),
        ("imap://hop_thu@/INBOX", "imap://hop_thu@/INBOX", "hop_thu"),
        ("sftp://u:p@[::1]:22/den", "sftp://u@[::1]:22/den", None),
    ],
)  # fmt: skip
def test_an_address_names_a_place_without_its_password(text: str, name: str, connection: str | None):
    address = a.parse(text)
    assert (address.name, address.connection_id) == (name, connection)


@pytest.mark.parametrize(
    "text",
    ["http://x:secret@y/z", "sftp:///den", "imaps:///INBOX", "s3:///x", "sftp://u:secret@h:port/x", "x", "sftp://u:se#cret@h"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_told_without_its_password(text: str):
    with pytest.raises(UsageError) as told:
        a.parse(text)
    assert "secret" not in str(told.value)
    assert "Địa chỉ hộp nhận" in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["login u p:w/đ failed", "sftp://u:p%3Aw%2F%C4%91@h", "'p:w/đ'", "https://anyone:other@h/x: 403"],
)
def test_a_password_is_masked_in_every_form(text: str):
    told = a.masked(text, ["p:w/đ"])
    assert "***" in told
    assert not {"p:w/đ", "p%3Aw", "other"} & set(told.replace("/", " ").split())
    assert "p:w" not in told


def test_the_settings_give_the_folder_unless_others_are_listed(tmp_path: Path):
    assert [i.name for i in inbox.configured(settings.Settings(home=tmp_path))] == ["folder"]
    several = settings.Settings(home=tmp_path, inboxes="folder, file:///mnt/den\n s3://kho/den file:///mnt/den")  # type: ignore[arg-type]
    assert [i.name for i in inbox.configured(several)] == ["folder", "file:///mnt/den", "s3://kho/den"]


def test_the_settings_show_no_password(tmp_path: Path):
    assert "secret" not in repr(settings.Settings(home=tmp_path, inboxes="sftp://u:secret@h/x"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://u:secret@h/x", "phải có dạng"),
        ("sftp://thu_nhan@/den", "thu_nhan của Airflow"),
        ("imap://u:p@h/INBOX?since=x", "since"),
    ],
)
def test_a_wrong_address_makes_only_that_inbox_unusable(tmp_path: Path, text: str, why: str):
    from etl import clock

    conf = settings.Settings(home=tmp_path, inboxes=f"folder {text}")  # type: ignore[arg-type]
    folder, wrong = inbox.configured(conf)
    assert list(folder.items(clock.now())) == []
    with pytest.raises(InboxDownError, match=why) as told:
        list(wrong.items(clock.now()))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ("2025-10/06517", Said("06517", "2025-10")),
        ("Tháng 10-2025/Xã Quan Sơn", Said("06517", "2025-10")),
        ("2025/Thang 9/UBND xã Quan Sơn", Said("06517", "2025-09")),
        ("T10.2025/6517_Quan Son", Said("06517", "2025-10")),
        ("tháng 10 năm 2025", Said(None, "2025-10")),
        ("Kỳ 2025_10", Said(None, "2025-10")),
        ("INBOX/linh tinh", Said()),
        ("99999/2025/2025-13", Said()),
        ("2025-09/2025-10", Said()),
        ("06517 Hữu Liên", Said()),
        ("06517/06463", Said()),
    ],
)
def test_what_a_drop_folder_says_is_taken_only_when_it_is_clear(folders: str, said: Said):
    assert Places.of(province.load()).by_folders(folders.split("/")) == said


def test_a_sender_is_known_by_address_or_else_by_domain():
    places = Places({"06517": "Xã Quan Sơn"}, {"a@x.invalid": "06517", "@quanson.invalid": "06517"})
    assert places.by_sender("A@X.invalid") == "06517"
    assert places.by_sender("b@quanson.invalid") == "06517"
    assert (
        places.by_sender("b@x.invalid") is places.by_sender("b@sub.quanson.invalid") is places.by_sender(None) is None
    )


def test_the_province_ships_a_list_of_senders_without_invented_rows():
    path = settings.get().reference_dir / "senders.csv"
    assert path.read_text(encoding="utf-8").splitlines() == ["sender,commune_code,verified"]
