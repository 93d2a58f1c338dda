"""The wording templates: units in places, every fault told at once, the office's own files, the commands."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl import settings
from etl.cli import app
from etl.errors import ReleaseError, UsageError
from etl.publish import words
from etl.publish.figure import Figure
from etl.publish.model import Span, joined
from etl.publish.text import direction, unbroken, vi_key
from etl.publish.words.faults import of_text
from etl.publish.words.template import KINDS, Entry, fill, parse

AMOUNT = Figure("a", "vnd", "x", value=Decimal(1_234_500_000_000))
RATE = Figure("r", "pct", "x", value=Decimal("20.03"))
POINTS = Figure("p", "pct_points", "x", value=Decimal("-1.2"))
DAYS = Figure("d", "days", "x", value=Decimal(11))
COUNT = Figure("c", "count", "x", value=Decimal(1234))
DAY = Figure("t", "date", "x", text="2026-02-05")
NAME = Figure("n", "text", "x", text="Xã Quan Sơn")
OF_KIND = {
    "tiền": AMOUNT, "tỷ lệ": RATE, "chênh lệch": POINTS, "số ngày": DAYS, "số đếm": COUNT, "ngày": DAY, "kỳ": NAME,
    "tên": NAME,
}  # fmt: skip


def said(text: str, kind: str, part: words.Part | None = None) -> str:
    return joined(fill(parse(text), {"x": kind, "y": kind}, {"x": part or OF_KIND[kind], "y": OF_KIND[kind]}))


# Places carry their unit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "printed"),
    [
        ("{x:tỷ đồng}", "tiền", "1.234,5 tỷ đồng"),
        ("{x:triệu đồng}", "tiền", "1.234.500 triệu đồng"),
        ("{x:đồng}", "tiền", "1.234.500.000.000 đồng"),
        ("{x:%}", "tỷ lệ", "20,03 %"),
        ("{x:% gọn}", "tỷ lệ", "20,03 %"),
        ("{x:điểm %}", "chênh lệch", "-1,20 điểm %"),
        ("{x:điểm phần trăm}", "chênh lệch", "-1,20 điểm phần trăm"),
        ("{x:ngày}", "số ngày", "11 ngày"),
        ("{x}", "số đếm", "1.234"),
        ("{x}", "ngày", "05/02/2026"),
        ("{x:đầy đủ}", "ngày", "ngày 05 tháng 02 năm 2026"),
        ("{x:năm}", "ngày", "2026"),
        ("{x}", "tên", "Xã Quan Sơn"),
        ("{x:tên}", "tên", "xã Quan Sơn"),
        ("{ x : tỷ đồng }", "tiền", "1.234,5 tỷ đồng"),
        ("{x:tỷ đồng}/{y:tỷ đồng}", "tiền", "1.234,5/1.234,5 tỷ đồng"),
        ("{x:tỷ đồng}/{y:triệu đồng}", "tiền", "1.234,5 tỷ đồng/1.234.500 triệu đồng"),
    ],
)
def test_a_place_prints_the_number_in_its_unit_with_the_unit_behind_it(text: str, kind: str, printed: str) -> None:
    assert said(text, kind) == printed


@pytest.mark.parametrize(
    ("vnd", "ty", "trieu"),
    [
        (0, "0,0 tỷ đồng", "0 triệu đồng"),
        (30_000_000, "0,03 tỷ đồng", "30 triệu đồng"),
        (50_000_000, "0,1 tỷ đồng", "50 triệu đồng"),
        (400_000, "0,0004 tỷ đồng", "0,4 triệu đồng"),
        (-30_000_000, "-0,03 tỷ đồng", "-30 triệu đồng"),
    ],
)
def test_an_amount_that_is_not_zero_never_reads_as_zero(vnd: int, ty: str, trieu: str) -> None:
    amount = replace(AMOUNT, value=Decimal(vnd))

    assert said("{x:tỷ đồng}", "tiền", amount) == ty
    assert said("{x:triệu đồng}", "tiền", amount) == trieu


def test_a_number_whose_sign_is_told_in_words_is_printed_without_it() -> None:
    assert said("giảm {x:điểm %}", "chênh lệch", words.unsigned(POINTS)) == "giảm 1,20 điểm %"
    lower = words.unsigned(replace(AMOUNT, value=Decimal(-2_500_000_000)))
    assert said("thấp hơn {x:triệu đồng}", "tiền", lower) == "thấp hơn 2.500 triệu đồng"


def test_each_number_stays_a_span_of_its_figure_with_all_words_before_it_in_one_span() -> None:
    parts = {"rate": RATE, "change": (Span("tăng "), Span("1,20", POINTS, "points_abs"), Span(" điểm %"))}

    spans = fill(parse("đạt {rate:%}, {change}."), {"rate": "tỷ lệ", "change": "phần"}, parts)

    assert [s.text for s in spans] == ["đạt ", "20,03", " %, tăng ", "1,20", " điểm %."]
    assert [s.figure for s in spans] == [None, RATE, None, POINTS, None]


def test_a_number_and_its_sign_stay_on_one_line() -> None:
    assert joined(unbroken((Span("20,03", RATE), Span(" % (0 %), 1,20 điểm phần trăm")))) == (
        "20,03\u00a0% (0\u00a0%), 1,20\u00a0điểm\u00a0phần\u00a0trăm"
    )


def test_a_long_text_is_cut_where_the_code_says_so() -> None:
    assert said("{x}", "tên", words.cut(replace(NAME, text="hỗ trợ kịp thời, cho xã"), 18)) == "hỗ trợ kịp thời…"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"phần"}))
def test_a_figure_of_another_kind_is_never_printed_in_a_place(kind: str) -> None:
    for other, figure in OF_KIND.items():
        if KINDS[other].holds != KINDS[kind].holds:
            unit = next(iter(KINDS[kind].units))
            with pytest.raises(ReleaseError, match="không hợp với chỗ trống"):
                said(f"{{x:{unit}}}", kind, figure)


# Faults ---------------------------------------------------------------------------------------------------------------

ENTRY = Entry(
    "mau", "chung.yml", "",
    {"amount": "tiền", "rate": "tỷ lệ", "x": "chênh lệch", "n": "số đếm", "of": "số đếm", "d": "số ngày",
     "as_of": "ngày", "month": "kỳ", "other": "tên"},
    {}, ("n", "of"),
    {
        "text": "Đến ngày {as_of}: {n}/{of} xã, {amount:tỷ đồng}, {rate:%}, {d:ngày}, 100 % so với {month}",
        "up": "tăng {x:điểm %} so với {month}",
        "down": "giảm {x:điểm %} so với {month}",
    },
)  # fmt: skip
GOOD = "Tổng hợp {n}/{of} xã"


def faults(text: object, variant: str = "text") -> list[str]:
    return [fault.as_text() for fault in of_text(ENTRY, variant, text)]


@pytest.mark.parametrize(
    ("text", "told", "fix"),
    [
        ("", "câu để trống", "viết câu"),
        ("  ", "câu để trống", "viết câu"),
        (None, "không phải là một câu chữ", "dấu ngoặc kép"),
        (unicodedata.normalize("NFD", GOOD) + " kế hoạch".replace("ế", "e\u0302\u0301"), "dấu rời", "dựng sẵn"),
        (GOOD + "\u200b", "không in được (U+200B)", "xóa ký tự"),
        (GOOD + "\x07", "không in được (U+0007)", "xóa ký tự"),
        (GOOD + "\nmới", "không in được (U+000A)", "một dòng"),
        (GOOD + " ", "thừa dấu cách", "xóa dấu cách"),
        (GOOD + " {rate:%", "dấu “{” lẻ", "một cặp ngoặc nhọn"),
        (GOOD + " rate}", "dấu “}” lẻ", "một cặp ngoặc nhọn"),
        (GOOD + " {}", "“{}” không phải là một chỗ trống", "một cặp ngoặc nhọn"),
        (GOOD + " {tong}", "{tong} không dùng được", "{amount:tỷ đồng}"),
        (GOOD + " {other}", "{other} không dùng được", "{amount:tỷ đồng}"),
        (GOOD + " {amount}", "{amount} là tiền nên phải ghi đơn vị", "{amount:tỷ đồng}, {amount:triệu đồng}"),
        (GOOD + " {rate}", "{rate} là tỷ lệ nên phải ghi đơn vị", "{rate:%}"),
        (GOOD + " {d}", "{d} là số ngày nên phải ghi đơn vị", "{d:ngày}"),
        (GOOD + " {amount:%}", "“%” không hợp với số liệu này, vốn là tiền", "{amount:tỷ đồng}"),
        (GOOD + " {rate:tỷ đồng}", "“tỷ đồng” không hợp với số liệu này, vốn là tỷ lệ", "{rate:%}"),
        (GOOD + " {amount:nghìn tỷ}", "không có đơn vị, cách viết nào tên là “nghìn tỷ”", "{amount:tỷ đồng}"),
        ("Tổng hợp {n} xã", "thiếu chỗ trống {of}, là số liệu bắt buộc", "thêm {of} vào câu"),
        (GOOD + " trong 65 xã", "có số “65” viết sẵn", "bỏ con số"),
        (GOOD + " đạt 20,03 %", "có số “20,03” viết sẵn", "bỏ con số"),
        (GOOD + " 100 %, 100 %", "có số “100” viết sẵn", "bỏ con số"),
        (GOOD + " ½ kế hoạch", "có số “½” viết sẵn", "bỏ con số"),
        (GOOD + " {amount:tỷ đồng} triệu đồng", "sau {amount} có chữ “triệu”", "bỏ chữ đó"),
        (GOOD + " {rate:%}%", "sau {rate} có chữ “%”", "bỏ chữ đó"),
        ("Tổng hợp {of}, {n} tỷ đồng", "sau {n} có chữ “tỷ”", "bỏ chữ đó"),
        ("Tổng hợp {of}, {n} %", "sau {n} có chữ “%”", "bỏ chữ đó"),
        (GOOD + " quá {d:ngày} ngày", "sau {d} có chữ “ngày”", "bỏ chữ đó"),
        (GOOD + " đến ngày {as_of:đầy đủ}", "chữ “ngày” đứng trước {as_of}", "bỏ chữ đó"),
        (GOOD + " so với tháng {month}", "chữ “tháng” đứng trước {month}", "bỏ chữ đó"),
    ],
)
def test_a_faulty_sentence_is_told_with_its_place_and_how_to_mend_it(text: object, told: str, fix: str) -> None:
    (fault,) = faults(text)

    assert fault.startswith("chung.yml, câu mau, trường hợp text: ")
    assert told in fault.split(". Cách sửa: ")[0]
    assert fix in fault.split(". Cách sửa: ")[1]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Đạt 100 % ở {n}/{of} xã",
        "{n} trên {of} xã, tương ứng {amount:triệu đồng}/{rate:% gọn}; quá hạn {d:ngày}",
        "Tính đến {as_of:đầy đủ}, {n}/{of} xã",
        "Tính đến ngày {as_of}, {n}/{of} xã (so với {month})",
        "{n} điểm trường của {of} xã",
    ],
)
def test_a_sentence_in_other_words_is_fine(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    ("variant", "text", "sound"),
    [
        ("up", "cao hơn {x:điểm phần trăm} so với {month}", True),
        ("up", "giảm {x:điểm %} so với {month}", False),
        ("up", "thêm {x:điểm %} so với {month}", False),
        ("down", "thấp hơn {month} là {x:điểm %}", False),
        ("down", "không tăng mà giảm {x:điểm %} so với {month}", True),
    ],
)
def test_the_word_before_a_difference_says_which_way_it_goes(variant: str, text: str, sound: bool) -> None:
    assert [f for f in faults(text, variant) if "chiều của chênh lệch" in f] == [] if sound else faults(text, variant)


def test_the_last_word_before_a_number_counts() -> None:
    assert (direction("tăng so với tháng trước, giảm "), direction("Vượt "), direction("tăngg "), direction("")) == (
        -1, 1, 0, 0,
    )  # fmt: skip


# The program's own sentences ------------------------------------------------------------------------------------------


def test_the_sentences_of_the_program_are_sound_and_explain_every_place() -> None:
    assert len(words.package().lines) > 200
    for key, entry in words.entries().items():
        used = {place.name for text in entry.texts.values() for place in parse(text).places}
        assert used == set(entry.kinds), key
        assert all(entry.meanings.values()), key
        assert entry.about.strip(), key


def test_the_readme_of_the_folder_names_every_unit_and_every_file() -> None:
    readme = (words.FOLDER / "README.md").read_text(encoding="utf-8")

    assert all(f":{unit}}}" in readme for kind in KINDS.values() for unit in kind.units if unit)
    assert all(f"`{path.name}`" in readme for path in words.FOLDER.glob("*.yml"))


def test_a_part_that_the_code_leaves_out_is_an_error_whatever_the_office_says() -> None:
    with pytest.raises(KeyError, match="coverage/all: of"):
        words.package().say("coverage", "all", n=COUNT)


# The office's folder --------------------------------------------------------------------------------------------------


def own(folder: Path, **content: str) -> Path:
    for name, text in content.items():
        (folder / f"{name.replace('_', '-')}.yml").write_text(text, encoding="utf-8")
    return folder


def test_the_office_words_a_single_variant_anew(tmp_path: Path) -> None:
    folder = own(tmp_path, chung='coverage:\n  all: "Đã có báo cáo của {n} trong số {of} xã, phường."\n')

    spoken = words.load(folder)

    assert (
        joined(spoken.say("coverage", "all", n=COUNT, of=COUNT)) == "Đã có báo cáo của 1.234 trong số 1.234 xã, phường."
    )
    assert [line.item for line in spoken.unlike(words.package())] == ["chung.yml/coverage/all"]
    assert spoken.sha256 != words.package().sha256
    assert words.load(folder) == spoken


def test_a_copy_of_the_files_says_what_the_program_says(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["words", "copy", "--out", str(tmp_path / "loi")]).exit_code == 0

    assert words.load(tmp_path / "loi") == words.package()
    assert (tmp_path / "loi" / "README.md").exists()


def test_a_sentence_with_one_variant_may_stand_behind_its_key(tmp_path: Path) -> None:
    spoken = words.load(own(tmp_path, bao_cao='proposals_detail: "Xem Phụ lục III."\n'))

    assert spoken.line("proposals_detail") == "Xem Phụ lục III."


def test_every_fault_of_all_files_is_told_at_once(tmp_path: Path) -> None:
    own(
        tmp_path,
        chung='coverage:\n  all: "Báo cáo của {n} xã."\n  moi: "Câu lạ."\nkhong_co:\n  all: "x"\n'
        "proposals_detail: x\nchange:\n  same: {month}\n",
        tom_tat='kpi_rate:\n  value: "{rate:%}\n  missing: "chưa có"\n',
        phu_luc="annex_title:\n  details: [a]\nannex_title:\n  tasks: TASKS\ntreasury: 5\n",
        cau_moi='x: "y"\n',
    )
    (tmp_path / "bao-cao.yml").write_bytes('gap:\n  causes: "nguyên nhân"'.encode("utf-16"))

    with pytest.raises(ReleaseError) as caught:
        words.load(tmp_path)

    told = str(caught.value)
    for part in (
        "chung.yml, câu coverage, trường hợp all: thiếu chỗ trống {of}",
        "chung.yml, câu coverage, trường hợp moi: câu này không có trường hợp mang tên đó. Cách sửa: các trường ",
        "chung.yml, câu change, trường hợp same: không phải là một câu chữ. Cách sửa: đặt câu trong dấu ngoặc kép",
        "chung.yml, câu khong_co: không có câu nào mang mã này",
        "chung.yml, câu proposals_detail: câu này thuộc tệp bao-cao.yml",
        "tom-tat.yml: sai cú pháp YAML ở dòng 3",
        "phu-luc.yml, câu annex_title: ghi hai lần (lần sau ở dòng 3)",
        "phu-luc.yml, câu treasury: phải gồm các trường hợp của câu",
        "cau-moi.yml: tệp lạ",
        "bao-cao.yml: không phải văn bản UTF-8",
    ):
        assert part in told
    assert "Câu mẫu của văn bản có 10 chỗ sai" in told


@pytest.mark.parametrize("content", ["- a\n- b\n", "chỉ có chữ\n", "42\n"])
def test_a_file_that_is_no_list_of_sentences_is_told(tmp_path: Path, content: str) -> None:
    with pytest.raises(ReleaseError, match=r"chung\.yml: tệp phải gồm các mục"):
        words.load(own(tmp_path, chung=content))


def test_an_empty_file_and_a_word_that_yaml_takes_for_false_are_fine(tmp_path: Path) -> None:
    own(tmp_path, chung="# chưa đổi câu nào\n", phu_luc="quality_none:\n  checks: no\n")

    assert words.load(tmp_path).line("quality_none", "checks") == "no"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Không có thư mục câu mẫu"):
        words.load(tmp_path / "khong-co")


# Kept with a release --------------------------------------------------------------------------------------------------


def test_the_words_of_a_release_come_back_from_what_was_kept(tmp_path: Path) -> None:
    spoken = words.load(own(tmp_path, chung='coverage:\n  all: "Đã có {n}/{of} xã, phường."\n'))

    assert words.of(json.loads(json.dumps(spoken.canonical()))) == spoken != words.package()
    assert words.of(None) == words.package()


def test_words_of_an_earlier_version_of_the_program_are_taken_as_far_as_it_still_says_them() -> None:
    spoken = words.of({"chung.yml": {"coverage": {"all": "Có {n}/{of}."}, "gone": {"all": "Không còn."}}})

    assert [line.text for line in spoken.unlike(words.package())] == ["Có {n}/{of}."]


def test_a_stored_sentence_with_a_place_that_no_longer_is_does_not_print_something_else() -> None:
    spoken = words.of({"chung.yml": {"coverage": {"all": "Có {cu}/{of}."}}})

    with pytest.raises(ReleaseError, match=r"\{cu:\}"):
        spoken.say("coverage", "all", n=COUNT, of=COUNT)


# Commands -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.delenv("TIENDO_WORDS_DIR", raising=False)
    settings.reload()
    yield monkeypatch
    monkeypatch.undo()
    settings.reload()


def test_the_check_tells_faults_as_json_with_exit_code_1(tmp_path: Path, plain: pytest.MonkeyPatch) -> None:
    own(tmp_path, chung='coverage:\n  all: "Báo cáo của {n}."\n')

    result = CliRunner().invoke(app, ["words", "check", str(tmp_path), "--json"])

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["sha256"] is None
    assert told["faults"] == [
        {
            "file": "chung.yml",
            "key": "coverage",
            "variant": "all",
            "message": "thiếu chỗ trống {of}, là số liệu bắt buộc phải nêu trong câu này",
            "fix": "thêm {of} vào câu",
        }
    ]


def test_the_check_of_sound_words_names_what_is_the_offices(tmp_path: Path, plain: pytest.MonkeyPatch) -> None:
    own(tmp_path, chung='coverage:\n  all: "Báo cáo của {n}/{of} đơn vị."\n')
    plain.setenv("TIENDO_WORDS_DIR", str(tmp_path))
    settings.reload()

    checked, listed = (CliRunner().invoke(app, ["words", name]) for name in ("check", "list"))

    assert (checked.exit_code, listed.exit_code) == (0, 0)
    assert "chung.yml/coverage/all: Báo cáo của {n}/{of} đơn vị." in checked.stdout
    assert "  * all: Báo cáo của {n}/{of} đơn vị." in listed.stdout
    assert "{n}: số xã, phường có báo cáo được chấp nhận (số đếm, bắt buộc)" in listed.stdout


def test_a_missing_folder_is_exit_code_2_and_nothing_is_written_over(tmp_path: Path, plain: pytest.MonkeyPatch) -> None:
    own(tmp_path, chung="# của văn phòng\n")

    assert CliRunner().invoke(app, ["words", "check", str(tmp_path / "khong-co")]).exit_code == 2
    assert CliRunner().invoke(app, ["words", "copy", "--out", str(tmp_path)]).exit_code == 2
    assert (tmp_path / "chung.yml").read_text(encoding="utf-8") == "# của văn phòng\n"


# Order of names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ordered",
    [
        ["An", "Ăn", "Ấn", "Ba", "Đa"],
        ["ma", "mà", "mả", "mã", "má", "mạ"],
        ["Bắc Sơn", "Bằng Mạc", "Bằng Thành", "Bình Gia"],
        ["Sở Dân tộc", "Sở Dân tộc và Tôn giáo", "Sở Du lịch", "Sở Đất đai"],
        ["phường Tam Thanh", "xã Ba Sơn", "xã Bắc Sơn", "xã Đoàn Kết", "xã Hoa Thám"],
        ["ô tô", "Ơn", "Ưu"],
    ],
)
def test_names_stand_in_the_order_of_the_vietnamese_alphabet(ordered: list[str]) -> None:
    shuffled = ordered[::-1]

    assert sorted(shuffled, key=vi_key) == ordered
