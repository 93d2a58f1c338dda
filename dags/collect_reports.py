"""### Thu thập báo cáo của các xã, phường

Quét hộp nhận, lưu nguyên bản, kiểm tra, nạp số liệu đạt yêu cầu, trả lại tệp đã đánh dấu và biên nhận.

**Khi một tác vụ màu đỏ:** tệp sai số liệu *không bao giờ* làm đỏ tác vụ (xã nhận lại tệp có đánh dấu).
Màu đỏ nghĩa là hạ tầng hỏng hoặc lỗi chương trình: mở nhật ký của tác vụ, sửa nguyên nhân, rồi bấm *Clear*.
Chạy lại bao nhiêu lần cũng được: mỗi nguyên bản chỉ được nạp một lần theo mã băm sha256.

* `archive`: hộp nhận không đọc được, hết dung lượng đĩa, mất kết nối kho dữ liệu.
* `process`: kho dữ liệu; tệp nào đang xử lý dở thì lần sau làm lại từ đầu tệp đó.
* `hand_back`: thư mục trả kết quả không ghi được, hoặc máy chủ thư không kết nối được (biên nhận và tệp trả lại vẫn
  được ghi; thư còn lại gửi ở lần chạy sau, không thư nào gửi hai lần).
"""

from __future__ import annotations

import pendulum
from airflow.sdk import CronTriggerTimetable, dag, task

from etl.airflow_io import TIMEZONE, default_args, smtp_url


@dag(
    dag_id="collect_reports",
    schedule=CronTriggerTimetable("*/15 7-18 * * 1-6", timezone=TIMEZONE),
    start_date=pendulum.datetime(2025, 7, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    default_args=default_args(),
    tags=["thu thập"],
    doc_md=__doc__,
)
def collect_reports() -> None:
    """archive -> process -> hand_back; each reads what the one before has stored, none passes rows on."""

    @task
    def archive() -> dict[str, object]:
        from etl import clock, steps

        return steps.archive_inbox(clock.now())

    @task
    def process() -> dict[str, object]:
        from etl import clock, steps

        return steps.process_received(clock.now())

    @task
    def hand_back() -> dict[str, object]:
        from etl import clock, steps

        return steps.hand_back(clock.now(), smtp_url())

    archive() >> process() >> hand_back()


collect_reports()
