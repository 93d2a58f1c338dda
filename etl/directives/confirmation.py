"""The workbook in which a person confirms, edits or drops each proposed task, and the short form for Airflow.

Every task has its own decision; a row without one is a fault, and nothing enters then. The passage of the original
stands beside each task. What the registrar is asked (number, date, issuer) stands on top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from etl.clock import show_date
from etl.directives.registering import CHANGES, REPEATS, REPLACES, Answer, Asked, Head
from etl.errors import DataError
from etl.reference.province import Province
from etl.register import sheet
from etl.register.sheet import Column, Entry, Filled, Form, Question

KIND = "xac-nhan-nhiem-vu"
TAKE, EDIT, DROP = "Vào sổ", "Sửa rồi vào sổ", "Bỏ"
_KINDS = {
    "Ngày cụ thể": ("date", False),
    "Mốc cuối giai đoạn": ("horizon", False),
    "Định kỳ": ("recurring", False),
    "Theo sự kiện": ("event", False),
    "Thường xuyên": ("none", True),
    "Không định ngày": ("none", False),
}
_RECURRENCES = {
    "Hằng ngày": "daily", "Hằng tuần": "weekly", "Hằng tháng": "monthly", "Hằng quý": "quarterly",
    "6 tháng một lần": "half_yearly", "Hằng năm": "yearly",
}  # fmt: skip
_RELATIONS = {
    "Nhắc lại nhiệm vụ trước": REPEATS,
    "Đổi thời hạn nhiệm vụ trước": CHANGES,
    "Thay thế nhiệm vụ trước": REPLACES,
}
_NONE = "Không liên quan"
_COLUMNS = (
    Column("row_no", "STT", 6, kind="number"),
    Column("item", "Mục", 8),
    Column("decision", "Quyết định (bắt buộc)", 15, True, "decision"),
    Column("lead", "Cơ quan chủ trì", 24, True, "lead"),
    Column("coordinating", "Cơ quan phối hợp (cách nhau bằng dấu ;)", 24, True),
    Column("content", "Nội dung nhiệm vụ", 48, True),
    Column("phrase", "Thời hạn, nguyên văn", 20, True),
    Column("due", "Ngày đến hạn", 13, True, kind="date"),
    Column("due_kind", "Loại thời hạn", 16, True, "due_kind"),
    Column("recurrence", "Chu kỳ", 13, True, "recurrence"),
    Column("due_day", "Ngày trong kỳ", 9, True, kind="number"),
    Column("due_shift", "Số tháng sau kỳ", 9, True, kind="number"),
    Column("relation", "Quan hệ với nhiệm vụ trước", 19, True, "relation"),
    Column("earlier", "Mã nhiệm vụ trước", 18, True),
    Column("reason", "Vì sao đề xuất liên kết; điều phải hỏi", 26),
    Column("issues", "Mã kiến nghị của xã (cách nhau bằng dấu ;)", 18, True),
    Column("source", "Nguyên văn trong văn bản", 60),
)
_NOTES = (
    "Mỗi dòng là một nhiệm vụ hệ thống đọc được từ văn bản; chưa có gì vào sổ. Cột “Quyết định”: chọn Vào sổ, Sửa rồi "
    "vào sổ, hoặc Bỏ cho từng dòng; dòng để trống thì cả tệp bị trả lại.",
    "Chỉ sửa các ô nền vàng. Quan hệ với nhiệm vụ trước: “Nhắc lại” và “Đổi thời hạn” không tạo nhiệm vụ mới; “Thay "
    "thế” tạo nhiệm vụ mới và thôi nhiệm vụ trước.",
)


def workbook(notice: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], province: Province) -> bytes:
    """The form of a proposal."""
    leads = list(dict.fromkeys([*(row["lead_vi"] for row in rows), *province.agencies.values(), *_communes(province)]))
    asked = [f"Đề nghị bổ sung, kiểm tra: {question}" for question in notice["questions_vi"]]
    form = Form(
        kind=KIND,
        title="XÁC NHẬN NHIỆM VỤ TRƯỚC KHI VÀO SỔ",
        notes=[*_NOTES, f"Văn bản: {notice['title_vi'] or notice['file_name']} (tệp {notice['file_name']})", *asked],
        questions=[
            Question("doc_no", "Số, ký hiệu văn bản (ví dụ 123/TB-VP)", notice["doc_no"]),
            Question("doc_date", "Ngày ban hành", notice["doc_date"]),
            Question("issuer_vi", "Cơ quan ban hành", notice["issuer_vi"]),
            Question("commune", "Xã, phường được kiểm tra, giám sát (mã 5 chữ số; nếu có)", notice["commune_code"]),
            Question("by", "Người xác nhận (họ tên, chức vụ)"),
        ],
        columns=_COLUMNS,
        rows=[_row(row) for row in rows],
        lists={
            "decision": (TAKE, EDIT, DROP),
            "lead": leads,
            "due_kind": tuple(_KINDS),
            "recurrence": tuple(_RECURRENCES),
            "relation": (_NONE, *_RELATIONS),
        },
        meta={"notice_id": notice["notice_id"], "sha256": notice["sha256"]},
    )
    return sheet.write(form)


def _communes(province: Province) -> list[str]:
    return [c.committee_vi for c in province.communes.values()]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "row_no": row["row_no"],
        "item": row["item"],
        "lead": row["lead_vi"],
        "coordinating": "; ".join(row["coordinating_vi"]),
        "content": row["content_vi"],
        "phrase": row["deadline_phrase_vi"],
        "due": row["due_date"],
        "due_kind": _word(_KINDS, (row["due_kind"], row["is_standing"])),
        "recurrence": _word(_RECURRENCES, row["recurrence"]),
        "due_day": row["due_day"],
        "due_shift": row["due_shift"] or None,
        "relation": _word(_RELATIONS, row["relation"]) or _NONE,
        "earlier": row["earlier_task_id"],
        "reason": "; ".join(filter(None, (row["relation_reason_vi"], row["question_vi"]))),
        "source": row["source_text_vi"],
    }


def _word(words: Mapping[str, Any], value: Any) -> str | None:
    return next((word for word, meaning in words.items() if meaning == value), None)


def of_workbook(name: str, data: bytes) -> tuple[Asked, Head, list[Answer], str | None]:
    """What was asked, head, answers and who confirmed, from a workbook that was filled in.

    Raises UsageError for a file that is none of ours, DataError with every cell that cannot be read.
    """
    filled = sheet.read(name, data, KIND)
    problems: list[str] = []
    answers = [answer for row in filled.rows if (answer := _answer(row, problems))]
    head = Head(
        doc_no=_text(filled, "doc_no"),
        doc_date=sheet.day_of(filled.answers["doc_date"], problems),
        issuer_vi=_text(filled, "issuer_vi"),
        commune_code=_code(filled, problems),
    )
    if problems:
        raise DataError(f"{name}: chưa vào sổ. Sửa các ô sau trong tệp rồi gửi lại:\n" + "\n".join(problems))
    asked = Asked(int(filled.meta["notice_id"]), str(filled.meta["sha256"]))
    return asked, head, answers, _text(filled, "by")


def _text(filled: Filled, question: str) -> str | None:
    value = filled.answers[question].value
    return str(value) if value is not None else None


def _code(filled: Filled, problems: list[str]) -> str | None:
    entry = filled.answers["commune"]
    if entry.value is None:
        return None
    code = str(entry.value).zfill(5)
    if not re.fullmatch(r"\d{5}", code):
        problems.append(f"Ô {entry.cell}: mã xã, phường gồm 5 chữ số; nhận được “{entry.value}”.")
    return code


def _answer(row: Mapping[str, Entry], problems: list[str]) -> Answer | None:
    number = sheet.number_of(row["row_no"], problems)
    if number is None:
        problems.append(
            f"Ô {row['row_no'].cell}: dòng không có số thứ tự của hệ thống; biểu này không thêm được dòng mới, "
            "xóa dòng này (nhiệm vụ còn thiếu thì đọc lại văn bản)."
        )
        return None
    place = f"Dòng {row['row_no'].cell[1:]} (mục {row['item'].value}): "
    decision = sheet.choice(row["decision"], {TAKE: True, EDIT: True, DROP: False}, problems)
    if row["decision"].value is None:
        problems.append(
            f"Ô {row['decision'].cell}: chưa chọn quyết định cho mục {row['item'].value}; chọn {TAKE}, {EDIT} hoặc "
            f"{DROP}."
        )
    kind, standing = sheet.choice(row["due_kind"], _KINDS, problems) or ("none", False)
    relation = sheet.choice(row["relation"], {_NONE: None, **_RELATIONS}, problems)
    values = {
        "lead_vi": row["lead"].value,
        "coordinating_vi": _list(row["coordinating"]),
        "content_vi": row["content"].value,
        "deadline_phrase_vi": row["phrase"].value,
        "due_date": sheet.day_of(row["due"], problems),
        "due_kind": kind,
        "is_standing": standing,
        "recurrence": sheet.choice(row["recurrence"], _RECURRENCES, problems),
        "due_day": sheet.number_of(row["due_day"], problems),
        "due_shift": sheet.number_of(row["due_shift"], problems) or 0,
    }
    earlier = row["earlier"].value if relation else None
    shown = {"item": row["item"].value, "source_text_vi": row["source"].value}
    return Answer(number, bool(decision), values, relation, earlier, _list(row["issues"]), place, shown)


def _list(entry: Entry) -> list[str]:
    return [part.strip() for part in str(entry.value or "").split(";") if part.strip()]


# The short form: everything that is not named is taken as proposed, because the person saw the whole list above it.

_FIELDS = {
    "chủ trì": "lead_vi",
    "phối hợp": "coordinating_vi",
    "nội dung": "content_vi",
    "thời hạn": "due_date",
    "chu kỳ": "recurrence",
    "ngày trong kỳ": "due_day",
    "kiến nghị": "issues",
    "quan hệ": "relation",
    "nhiệm vụ trước": "earlier",
}


def head_of_form(said: Mapping[str, str], problems: list[str]) -> Head:
    """What the registrar typed above the list; empty fields leave what the text says."""
    return Head(
        doc_no=said.get("doc_no") or None,
        doc_date=sheet.day_of(Entry("Ngày ban hành", said.get("doc_date") or None), problems),
        issuer_vi=said.get("issuer") or None,
        commune_code=said.get("commune") or None,
    )


def of_form(
    rows: Sequence[Mapping[str, Any]], drop: str, changes: str, problems: list[str] | None = None
) -> list[Answer]:
    """Answers from ``drop`` (items, separated by ; or new lines) and ``changes``, one line per item:
    ``6.1 | thời hạn = 31/10/2025 | chủ trì = Sở Tài chính``. Links are taken as proposed; ``quan hệ = Không liên quan``
    takes one off. Raises DataError with ``problems`` and every line that cannot be read.
    """
    problems = [] if problems is None else problems
    items = {row["item"]: row for row in rows}
    dropped = {item.strip() for item in re.split(r"[;\n]", drop) if item.strip()}
    problems += [f"Không có mục {item} để bỏ." for item in sorted(dropped - items.keys())]
    edits: dict[str, dict[str, str]] = {}
    for line in filter(None, map(str.strip, changes.splitlines())):
        item, *parts = [part.strip() for part in line.split("|")]
        if item not in items or not parts:
            problems.append(f"Không hiểu dòng “{line}”: viết dạng mục | trường = giá trị.")
            continue
        for part in parts:
            name, sign, value = part.partition("=")
            if not sign or name.strip().lower() not in _FIELDS:
                problems.append(f"Mục {item}: không hiểu “{part}”; các trường: {', '.join(_FIELDS)}.")
                continue
            edits.setdefault(item, {})[_FIELDS[name.strip().lower()]] = value.strip()
    answers = [_edited(row, row["item"] not in dropped, edits.get(row["item"], {}), problems) for row in rows]
    if problems:
        raise DataError("Chưa vào sổ:\n" + "\n".join(problems))
    return answers


def _edited(row: Mapping[str, Any], taken: bool, edit: Mapping[str, str], problems: list[str]) -> Answer:
    place = f"Mục {row['item']}: "
    values: dict[str, Any] = {name: edit[name] for name in ("lead_vi", "content_vi") if name in edit}
    if "coordinating_vi" in edit:
        values["coordinating_vi"] = _list(Entry("", edit["coordinating_vi"]))
    if "due_date" in edit:
        values |= _due(Entry(f"thời hạn của mục {row['item']}", edit["due_date"] or None), problems)
    if "recurrence" in edit:
        found = sheet.choice(Entry(f"chu kỳ của mục {row['item']}", edit["recurrence"]), _RECURRENCES, problems)
        values |= {"recurrence": found, "due_kind": "recurring", "due_date": None}
    if "due_day" in edit:
        values["due_day"] = sheet.number_of(Entry(f"ngày trong kỳ của mục {row['item']}", edit["due_day"]), problems)
    relation, earlier = row["relation"], edit.get("earlier", row["earlier_task_id"])
    if "relation" in edit:
        entry = Entry(f"quan hệ của mục {row['item']}", edit["relation"])
        relation = sheet.choice(entry, {_NONE: None, **_RELATIONS}, problems)
    issues = _list(Entry("", edit.get("issues")))
    return Answer(row["row_no"], taken, values, relation, earlier if relation else None, issues, place)


def _due(entry: Entry, problems: list[str]) -> dict[str, date | str | bool | None]:
    day = sheet.day_of(entry, problems)
    return {"due_date": day, "due_kind": "date" if day else "none", "recurrence": None, "is_standing": False}


def as_markdown(notice: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The proposal as Airflow shows it to the person who answers."""
    head = [
        f"**{_escaped(notice['title_vi'] or notice['file_name'])}**",
        "",
        f"Số: {notice['doc_no'] or '(không ghi)'} · ngày: "
        f"{show_date(notice['doc_date']) if notice['doc_date'] else '(không ghi)'} · "
        f"cơ quan ban hành: {notice['issuer_vi'] or '(không ghi)'}",
        "",
        *(f"* {_escaped(question)}" for question in notice["questions_vi"]),
        "",
        "| Mục | Chủ trì | Phối hợp | Nội dung | Thời hạn | Nhiệm vụ trước |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_line(row) for row in rows)])


def _line(row: Mapping[str, Any]) -> str:
    due = show_date(row["due_date"]) if row["due_date"] else ""
    kind = _word(_RECURRENCES, row["recurrence"]) or (
        "" if due else _word(_KINDS, (row["due_kind"], row["is_standing"]))
    )
    phrase = f"“{row['deadline_phrase_vi']}”" if row["deadline_phrase_vi"] else ""
    earlier = ""
    if row["earlier_task_id"]:
        earlier = f"{_word(_RELATIONS, row['relation'])}: {row['earlier_task_id']} ({row['relation_reason_vi']})"
    cells = (
        row["item"], row["lead_vi"], "; ".join(row["coordinating_vi"]), row["content_vi"],
        " ".join(filter(None, (due, kind, phrase))), earlier,
    )  # fmt: skip
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(text: str) -> str:
    return re.sub(r"([|*_`<>\[\]])", r"\\\1", text)
