"""### Thu thập báo cáo của các xã, phường

Quét các hộp nhận (thư mục, SFTP, kho S3, hộp thư), lưu nguyên bản, kiểm tra, nạp số liệu đạt yêu cầu, trả lại tệp
đã đánh dấu và biên nhận.

**Khi một tác vụ màu đỏ:** tệp sai số liệu *không bao giờ* làm đỏ tác vụ (xã nhận lại tệp có đánh dấu).
Màu đỏ nghĩa là hạ tầng hỏng hoặc lỗi chương trình: mở nhật ký của tác vụ, sửa nguyên nhân, rồi bấm *Clear*.
Chạy lại bao nhiêu lần cũng được: mỗi nguyên bản chỉ được nạp một lần theo mã băm sha256.

* `archive`: hết dung lượng đĩa, mất kết nối kho dữ liệu.
* `all_inboxes_reached`: nêu tên hộp nhận không kết nối được hoặc đứt giữa chừng, và lý do. Các hộp khác vẫn được nhận,
  kiểm tra và trả kết quả; tệp của hộp hỏng được lấy ở lượt chạy sau, không cần *Clear*.
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
    """archive -> process -> hand_back; each reads what the one before has stored, none passes rows on.

    What ``archive`` could not reach is told by a task of its own, which holds up nothing.
    """

    @task
    def archive() -> dict[str, object]:
        from etl import airflow_io, clock, steps

        return steps.archive_inbox(clock.now(), airflow_io.inboxes())

    @task
    def all_inboxes_reached(archived: dict[str, object]) -> None:
        from etl import steps

        steps.require_all_inboxes(archived)

    @task
    def process() -> dict[str, object]:
        from etl import clock, steps

        return steps.process_received(clock.now())

    @task
    def hand_back() -> dict[str, object]:
        from etl import clock, steps

        return steps.hand_back(clock.now(), smtp_url())

    archived = archive()
    archived >> process() >> hand_back()
    all_inboxes_reached(archived)


collect_reports()
