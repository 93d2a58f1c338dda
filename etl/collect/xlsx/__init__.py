"""Sheets of an .xlsx workbook: values by python-calamine, formulas, errors and hidden rows from the XML itself.

Every part is unpacked here once, to its stated size and checksum, before calamine sees it: what a header says falsely
ends here. Cells far outside of any form cost nothing when they are blank: they are cut off before they are read
(a stray space in row 1,048,576), and refuse the file when they are not.
"""

from __future__ import annotations

import io
import zipfile
from typing import cast

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from etl.collect.grid import Grid, GridValue
from etl.collect.xlsx.closer_look import look_closer
from etl.collect.xlsx.package import Package


def read(data: bytes) -> list[Grid]:
    """All worksheets, hidden ones too. The bytes must have passed the guard."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive)
    opened = data if package.as_given else package.rebuilt()
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(opened))
    grids = []
    for meta in workbook.sheets_metadata:
        xml = package.sheets.get(meta.name)
        if xml is None:
            continue  # a chart sheet
        sheet = workbook.get_sheet_by_name(meta.name)
        grid = Grid(
            meta.name,
            meta.visible == SheetVisibleEnum.Visible,
            cast("list[list[GridValue]]", sheet.to_python(skip_empty_area=False)),
            list(sheet.merged_cell_ranges or []),
            legacy_font=package.legacy_font,
        )
        look_closer(grid, xml, manual=package.manual_calculation)
        grids.append(grid)
    return grids
