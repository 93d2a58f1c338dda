"""### Tổng hợp, phê duyệt và phát hành báo cáo tháng

Mỗi tháng một lượt chạy, khóa phân vùng (partition key) là kỳ báo cáo, ví dụ `2025-10`.
Chờ đến ngày chốt số liệu trong bảng lịch, chốt và dựng hồ sơ, **chờ người có thẩm quyền phê duyệt**,
rồi phát hành.

**Trả lời phê duyệt:** mục *Required Actions* trên trang chủ, mở yêu cầu, đối chiếu mã băm, chọn *Approve*
hoặc *Reject*. Quyết định được gắn với đúng các tệp đã nêu trong yêu cầu; tệp bị thay đổi sau đó thì không
phát hành được.

**Khi một tác vụ màu đỏ**

* `resolve_period`: lượt chạy không có kỳ báo cáo; chạy lại với partition key.
* `freeze`: kho dữ liệu hoặc dựng tài liệu; sửa nguyên nhân rồi *Clear*.
* `approve_release`: quá hạn mà chưa có trả lời; *Clear* tác vụ này để hỏi lại. Im lặng không phải là đồng ý.
* `record_decision`, `publish`: thông báo `ReleaseError` cho biết tệp nào đã đổi hoặc thư nào chưa gửi được.
  Thư ở trạng thái *không rõ* không được tự gửi lại: hỏi người nhận trước.

**Màu hồng (skipped)** là bình thường: tháng không có trong bảng lịch, bản phát hành đã công bố và không có gì
thay đổi, hoặc bị từ chối phê duyệt.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import CronPartitionTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from etl.airflow_io import TIMEZONE, default_args, reporting_period, smtp_url

RELEASE = "ti.xcom_pull(task_ids='freeze')"


class Approval(ApprovalOperator):
    """Asks for approval and hands on either answer.

    Its parent ends the task on *Reject* by skipping what follows, before the answer is stored: a rejection could
    not be recorded. Here the task that records the decision skips what follows.
    """

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        return HITLOperator.execute_complete(self, context, event)


@dag(
    dag_id="publish_monthly_summary",
    # Fires at the very start of the month after, so that a scheduled and a manual run of one month have the
    # same partition date. The cut-off is not in the cron: the calendar table holds it, a sensor waits for it.
    schedule=CronPartitionTimetable("0 0 1 * *", timezone=TIMEZONE, run_offset=-1, key_format="%Y-%m"),
    start_date=pendulum.datetime(2025, 7, 1, tz=TIMEZONE),
    catchup=False,
    max_active_runs=3,
    default_args=default_args(),
    params={
        "period": Param(None, type=["null", "string"], pattern=r"^\d{4}-(0[1-9]|1[0-2])$", title="Kỳ báo cáo (NNNN-TT)")
    },
    tags=["phát hành"],
    doc_md=__doc__,
)
def publish_monthly_summary() -> None:
    """The approval binds to what ``freeze`` handed out: the hashes shown are the hashes recorded."""

    @task
    def resolve_period() -> str:
        from etl import steps

        period = reporting_period(get_current_context())
        if not steps.calendar_has(period):
            raise AirflowSkipException(f"Bảng lịch không có kỳ {period}: không có gì để tổng hợp.")
        return period

    @task.sensor(
        mode="reschedule",
        poke_interval=timedelta(hours=1).total_seconds(),
        timeout=timedelta(days=60).total_seconds(),
        execution_timeout=timedelta(minutes=5),
    )
    def wait_for_cutoff(period: str) -> bool:
        from etl import clock, steps

        return steps.cutoff_passed(period, clock.now())

    @task
    def freeze(period: str) -> dict[str, Any]:
        from etl import clock, steps

        release = steps.freeze(period, clock.now())
        if release["published"]:
            # Pushed by hand: a skipped task returns nothing, yet the run shall tell which release it has.
            get_current_context()["ti"].xcom_push(key="return_value", value=release)
            raise AirflowSkipException(f"{release['release_id']} đã công bố, số liệu không thay đổi.")
        return release

    # No ``defaults``: silence is not consent, an unanswered request fails when its time is over. The one
    # retry is for a scheduler that stalls when the answer comes and takes the task for lost: it asks again.
    approve_release = Approval(
        task_id="approve_release",
        subject=f"Phê duyệt báo cáo kỳ {{{{ {RELEASE}['period'] }}}}, bản {{{{ {RELEASE}['release_id'] }}}}",
        body=f"{{{{ {RELEASE}['approval_markdown'] }}}}",
        response_timeout=timedelta(days=10),
        retries=1,
        retry_delay=timedelta(seconds=5),
        execution_timeout=None,
    )

    @task
    def record_decision(release: dict[str, Any], answer: dict[str, Any]) -> str:
        from etl import clock, steps

        decision = "approved" if answer["chosen_options"] == [Approval.APPROVE] else "rejected"
        decided_by = answer["responded_by_user"]["name"]
        steps.approve(release["release_id"], release["manifest_sha256"], decided_by, decision, clock.now())
        if decision == "rejected":
            raise AirflowSkipException(f"{decided_by} không phê duyệt {release['release_id']}.")
        return str(release["release_id"])

    @task
    def publish(release_id: str) -> dict[str, Any]:
        from etl import clock, steps
        from etl.errors import ReleaseError

        result = steps.publish(release_id, clock.now(), smtp_url=smtp_url())
        if result["failed"] or result["unknown"]:
            raise ReleaseError(
                f"{release_id} đã công bố nhưng còn {result['failed']} thư không gửi được và "
                f"{result['unknown']} thư không rõ đã gửi hay chưa: xem bảng release.delivery."
            )
        return result

    month = resolve_period()
    release = freeze(month)
    wait_for_cutoff(month) >> release >> approve_release
    publish(record_decision(release, approve_release.output))


publish_monthly_summary()
