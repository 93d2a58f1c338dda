"""Tiến độ: monthly progress reports of the communes on the national target programmes, from workbook to summary."""

__version__ = "0.1.0"
