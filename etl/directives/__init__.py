"""Notices of conclusions (thông báo kết luận) -> tasks with deadlines. Entry: ``etl.directives.notice.read``."""
