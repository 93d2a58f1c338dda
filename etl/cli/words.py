"""The words of the monthly documents: the office's own files checked, all sentences listed, copied for editing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from etl import settings
from etl.cli.conventions import Json, OutOption, guarded, print_json
from etl.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Câu mẫu của báo cáo, trang tóm tắt và phụ lục.")


@app.command("check")
@guarded
def check_words(
    folder: Annotated[
        Path | None, typer.Argument(help="Thư mục câu mẫu của văn phòng; mặc định TIENDO_WORDS_DIR.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kiểm tra các câu mẫu của văn phòng; nêu mọi chỗ sai cùng cách sửa.

    Mã thoát 0: dùng được; 1: có chỗ sai; 2: không có thư mục.
    """
    from etl.publish import words

    folder = folder or settings.get().own_words_dir
    spoken, faults = words.check(folder)
    own = spoken.unlike(words.package()) if spoken else ()
    if as_json:
        print_json(
            {
                "folder": str(folder) if folder else None,
                "sha256": spoken.sha256 if spoken else None,
                "own": [line.item for line in own],
                "faults": [fault.as_json() for fault in faults],
            }
        )
    elif faults:
        typer.echo(f"{len(faults)} chỗ sai trong {folder}:")
        for number, fault in enumerate(faults, 1):
            typer.echo(f"  {number}. {fault.as_text()}")
    else:
        told = f"{len(own)} câu của văn phòng" if folder else "không có thư mục của văn phòng"
        typer.echo(f"Câu mẫu dùng được ({told}).")
        for line in own:
            typer.echo(f"  {line.item}: {line.text}")
    raise typer.Exit(1 if faults else 0)


@app.command("list")
@guarded
def list_words(as_json: Json = False) -> None:
    """Mọi câu mẫu đang dùng: tệp, mã, trường hợp, lời; câu của văn phòng có dấu *."""
    from etl.publish import words

    spoken = words.load(settings.get().own_words_dir)
    own = set(spoken.unlike(words.package()))
    if as_json:
        print_json(
            [
                {
                    "file": line.file,
                    "key": line.key,
                    "variant": line.variant,
                    "text": line.text,
                    "own": line in own,
                    "about": words.entries()[line.key].about,
                }
                for line in spoken.lines
            ]
        )
        return
    key = ""
    for line in spoken.lines:
        if line.key != key:
            entry = words.entries()[key := line.key]
            typer.echo(f"\n{line.file}: {key} - {entry.about}")
            for name, meaning in entry.meanings.items():
                must = ", bắt buộc" if name in entry.must else ""
                typer.echo(f"    {{{name}}}: {meaning} ({entry.kinds[name]}{must})")
        mark = "*" if line in own else " "
        typer.echo(f"  {mark} {line.variant}: {line.text.replace(chr(10), ' / ')}")


@app.command("copy")
@guarded
def copy_words(out: OutOption) -> None:
    """Chép các tệp câu mẫu của chương trình và hướng dẫn ra một thư mục để sửa; không ghi đè tệp đã có."""
    from etl.publish import words

    files = sorted([*words.FOLDER.glob("*.yml"), words.FOLDER / "README.md"])
    there = [path.name for path in files if (out / path.name).exists()]
    if there:
        raise UsageError(f"Trong {out} đã có {', '.join(there)}; chọn thư mục khác hoặc dời các tệp đó đi.")
    out.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, out / path.name)
        typer.echo(str(out / path.name))
