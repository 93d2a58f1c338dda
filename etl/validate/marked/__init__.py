"""Marking up an .xlsx by editing its package: the parts that are not concerned stay as they are, byte for byte.

``package`` (the ZIP with its relations) · ``xml`` (edits by byte position) · ``styles`` · ``notes`` · ``outside``
(formulas that point out of the file) · ``result`` (what the first sheet says) · ``worksheet`` (where cells stand) ·
``workbook`` (puts them together).
"""
