"""### Đôn đốc nhiệm vụ và báo cáo tháng

Mỗi ngày làm việc (lịch Việt Nam, kể cả ngày làm bù) mỗi nơi nhận có nhiều nhất một bản tin: nhiệm vụ sắp đến hạn, quá
hạn, báo cáo tháng chưa gửi. Mỗi nội dung chỉ báo một lần ở mỗi bậc (`follow_up_steps.csv`); nơi đã báo cáo hoặc đã
khai không phát sinh thì không bị nhắc. Ngày nghỉ, tác vụ chuyển màu hồng (skipped).

**Khi một tác vụ màu đỏ**

* `send_digests`: kho dữ liệu hoặc máy chủ thư không kết nối được; sửa, *Clear*. Không thư nào gửi hai lần.
* `everybody_told`: có đơn vị chưa có địa chỉ (bổ sung `contacts.csv`), thư bị từ chối (sửa địa chỉ; nội dung được báo
  lại ngày làm việc sau), hoặc không rõ thư đã đến chưa: hỏi nơi nhận, hệ thống không tự gửi lại.
* `read_bounces`: từ lần xem trước có thư về bản phát hành bị trả lại, hoặc hộp thư báo lỗi (`TIENDO_BOUNCES`) không kết
  nối được: xem `tiendo deliveries`, sửa địa chỉ, gửi lại bằng `tiendo deliveries settle`.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import CronTriggerTimetable, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from etl.airflow_io import TIMEZONE, bounces, default_args, smtp_url


@dag(
    dag_id="follow_up",
    # Every day: which one is a working day is in the calendar of holidays and make-up days, not in the cron.
    schedule=CronTriggerTimetable("30 7 * * *", timezone=TIMEZONE),
    start_date=pendulum.datetime(2025, 7, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    default_args=default_args(),
    tags=["đôn đốc"],
    doc_md=__doc__,
)
def follow_up() -> None:
    """Reminders are of the day on which they go out: a run that is cleared later tells what is due then."""

    @task
    def send_digests() -> dict[str, Any]:
        from etl import clock, task_steps

        now = clock.now()
        result = task_steps.follow_up(clock.local_date(now), now, smtp_url())
        if not result["is_working_day"]:
            raise AirflowSkipException(f"{result['day']} là ngày nghỉ.")
        return result

    @task
    def everybody_told(result: dict[str, Any]) -> None:
        from etl import task_steps

        task_steps.require_told(result)

    @task
    def read_bounces() -> dict[str, Any]:
        from etl import clock, steps

        result = bounces(clock.now())
        steps.require_none_bounced(result)
        return result

    everybody_told(send_digests())
    read_bounces()


follow_up()
