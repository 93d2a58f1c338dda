"""### Nhận văn bản và bảng tính của sổ nhiệm vụ

Quét thư mục văn bản (`TIENDO_NOTICES`, mặc định `var/notices/`): thông báo kết luận được đọc và **chờ người xác nhận**
(mỗi văn bản một lượt chạy `register_directives`), bảng tính xác nhận đã điền thì vào sổ, bảng báo cáo nhiệm vụ của sở,
ngành thì ghi sự kiện. Mỗi tệp chỉ nhận một lần theo mã băm; biên nhận ở `var/out/van-ban/bien-nhan/`. Ai ghi được vào
thư mục này thì xác nhận được nhiệm vụ: chỉ cấp quyền cho người đăng ký.

**Khi một tác vụ màu đỏ**

* `take`: kho dữ liệu, thư mục hoặc đĩa; sửa, *Clear*. Không tệp nào bị nhận hai lần.
* `all_files_used`: có tệp không đọc được hoặc biểu có ô sai; dòng cuối nhật ký nêu tệp, ô và cách sửa (cũng có trong
  biên nhận). Tệp vẫn được lưu; đặt tệp đã sửa vào thư mục, không cần *Clear*.

`ask` màu hồng (skipped) là bình thường: văn bản đó đã được hỏi. `register_directives` phải đang bật.
"""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from etl.airflow_io import TIMEZONE, default_args


@dag(
    dag_id="collect_directives",
    schedule=CronTriggerTimetable("*/15 7-18 * * 1-6", timezone=TIMEZONE),
    start_date=pendulum.datetime(2025, 7, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=1,
    default_args=default_args(),
    tags=["sổ nhiệm vụ"],
    doc_md=__doc__,
)
def collect_directives() -> None:
    """One run of ``register_directives`` for each notice, named by its sha256: asked once, however often this runs."""

    @task
    def take() -> dict[str, Any]:
        from etl import clock, task_steps

        return task_steps.take_directives(clock.now())

    @task
    def all_files_used(result: dict[str, Any]) -> None:
        from etl import task_steps

        task_steps.require_all_taken(result)

    @task
    def to_ask(result: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"trigger_run_id": f"van-ban-{one['sha256'][:16]}", "conf": {"notice": one["notice_id"]}}
            for one in result["waiting"]
        ]

    taken = take()
    all_files_used(taken)
    TriggerDagRunOperator.partial(
        task_id="ask", trigger_dag_id="register_directives", skip_when_already_exists=True
    ).expand_kwargs(to_ask(taken))


collect_directives()
