"""Text of a PDF, page by page, as PDFium finds it (the reader of Chrome, hardened against hostile files).

A page is a form feed away from the next. The two columns of a Vietnamese letterhead come one after the other when the
file was written so; ``etl.directives.head`` parts them where they share a line.
"""

from __future__ import annotations

import pypdfium2 as pdfium

from etl.errors import UsageError

MAX_PAGES = 300
_FEWEST_LETTERS = 40
"""A page of a scan has a stamp's or a page number's worth of letters at most."""
_AGAIN = "Xuất lại PDF từ bản Word (không phải bản quét), hoặc gửi tệp .docx."
_PASSWORD = 4
"""FPDF_ERR_PASSWORD."""
_HYPHENS = str.maketrans({"\ufffe": "-", "\x02": "-", "\uffff": None})


def text(name: str, data: bytes) -> str:
    """Raises UsageError for passwords, damage, scans and files that are no notice."""
    try:
        document = pdfium.PdfDocument(data)
        try:
            count = len(document)
            if count > MAX_PAGES:
                raise UsageError(
                    f"{name}: PDF có {count} trang, vượt giới hạn {MAX_PAGES}. Tách riêng thông báo cần đọc."
                )
            pages = [_page(document, number) for number in range(count)]
        finally:
            document.close()
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or getattr(error, "err_code", None) == _PASSWORD:
            raise UsageError(f"{name}: PDF có đặt mật khẩu mở. Bỏ mật khẩu rồi gửi lại.") from error
        raise UsageError(f"{name}: PDF bị hỏng hoặc tải lên chưa trọn vẹn. {_AGAIN}") from error
    if sum(c.isalpha() for page in pages for c in page) < _FEWEST_LETTERS * max(1, len(pages)):
        raise UsageError(
            f"{name}: PDF là bản quét (ảnh), không có chữ để đọc. {_AGAIN} Hoặc nhận dạng chữ (OCR) trước."
        )
    return "\f".join(pages)


def _page(document: pdfium.PdfDocument, number: int) -> str:
    page = document[number]
    words = page.get_textpage()
    try:
        return str(words.get_text_range()).translate(_HYPHENS)
    finally:
        words.close()
        page.close()
