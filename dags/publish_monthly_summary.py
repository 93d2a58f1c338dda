"""### Tổng hợp, phê duyệt và phát hành báo cáo tháng

Mỗi tháng một lượt chạy, khóa phân vùng (partition key) là kỳ báo cáo, ví dụ `2025-10`.
Chờ đến ngày chốt số liệu trong bảng lịch, chốt và dựng hồ sơ, **chờ người có thẩm quyền phê duyệt**,
rồi phát hành.

**Trả lời phê duyệt:** mục *Required Actions* trên trang chủ, mở yêu cầu, đối chiếu mã băm, chọn *Approve*
hoặc *Reject* (phải ghi lý do). Người trả lời phải có trong `approvers.csv` và không phải là người soạn (người bấm
chạy); câu trả lời khác không được ghi nhận, yêu cầu mở lại. Quyết định được gắn với đúng các tệp đã nêu trong yêu cầu;
tệp bị thay đổi sau đó thì không phát hành được.

**Sau khi không được phê duyệt:** sửa số liệu, lời văn rồi chạy lại: bản số tiếp theo được trình. Muốn trình lại đúng
các tệp đó thì chạy lại với tham số *again*.

**Khi một tác vụ màu đỏ**

* `resolve_period`: lượt chạy không có kỳ báo cáo; chạy lại với partition key.
* `freeze`: kho dữ liệu, dựng tài liệu, hoặc bản bị từ chối mà chưa có gì thay đổi; dòng cuối nhật ký nói phải làm gì.
* `approve_release`: đã trả lời quá sớm hoặc mất kết nối; tự hỏi lại một lần, sau đó *Clear*.
* `record_decision`: quá hạn mà chưa có trả lời (được ghi là không phê duyệt; im lặng không phải là đồng ý): *Clear* từ
  `freeze` để trình lại; hoặc `ReleaseError` cho biết tệp nào đã đổi.
* `publish`: thư nào chưa gửi được: `tiendo deliveries --release <bản>` cho biết phải làm gì với từng nơi nhận.
  Thư ở trạng thái *không rõ* không được tự gửi lại: hỏi người nhận trước.

**Màu hồng (skipped)** là bình thường: tháng không có trong bảng lịch, bản phát hành đã công bố, đã gửi đủ và không có
gì thay đổi, hoặc không được phê duyệt.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import CronPartitionTimetable, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from etl.airflow_io import TIMEZONE, assignees, default_args, reporting_period, smtp_url, store, triggered_by

RELEASE = "ti.xcom_pull(task_ids='freeze')"


class Approval(ApprovalOperator):
    """Asks for approval and hands on either answer; an answer that does not count is asked for again.

    Its parent ends the task on *Reject* by skipping what follows, before the answer is stored: a rejection could
    not be recorded. Here the task that records the decision skips what follows.
    """

    def execute(self, context: Any) -> Any:
        release = context["ti"].xcom_pull(task_ids="freeze")
        if release["decision"] == "approved":
            return {"chosen_options": [self.APPROVE], "responded_by_user": None}
        self.assigned_users = assignees(release["approvers"])
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        answer = HITLOperator.execute_complete(self, context, event)
        if answer["responded_by_user"] is not None:
            from etl import clock, steps

            release, said = context["ti"].xcom_pull(task_ids="freeze"), decision_of(answer)
            why_not = steps.objection(release["release_id"], said["by"], said["decision"], said["reason"], clock.now())
            if why_not:
                self.log.warning("Câu trả lời không được ghi nhận, hỏi lại: %s", why_not)
                return self.execute(context)
        return answer


def decision_of(answer: dict[str, Any]) -> dict[str, str]:
    """What was answered. Nobody answered in time: Airflow took the default and names no user."""
    who = answer["responded_by_user"]
    return {
        "decision": "approved" if answer["chosen_options"] == [Approval.APPROVE] else "rejected",
        "by": who["name"] if who else "",
        "kind": "person" if who else "timeout",
        "reason": str((answer.get("params_input") or {}).get("reason") or ""),
    }


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
        "period": Param(
            None, type=["null", "string"], pattern=r"^\d{4}-(0[1-9]|1[0-2])$", title="Kỳ báo cáo (NNNN-TT)"
        ),
        "again": Param(False, type="boolean", title="Trình lại đúng các tệp đã bị từ chối"),
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
        from etl.errors import ReleaseError

        context = get_current_context()
        by, run, again = triggered_by(context), context.get("run_id"), bool(context["params"].get("again"))
        release = steps.freeze(period, clock.now(), by=by, run=run, again=again)
        if release["decision"] == "rejected":
            raise ReleaseError(
                f"{release['release_id']} không được {release['decided_by']} phê duyệt: {release['decision_reason']} "
                "Từ đó số liệu, lời văn, chương trình không thay đổi. Sửa rồi chạy lại, hoặc chạy với tham số again."
            )
        if release["published"] and not release["due"]:
            # Pushed by hand: a skipped task returns nothing, yet the run shall tell which release it has.
            context["ti"].xcom_push(key="return_value", value=release)
            raise AirflowSkipException(f"{release['release_id']} đã công bố, số liệu không thay đổi.")
        return release

    # Silence is not consent: when the time is over Airflow answers *Reject* for nobody, recorded as a time-out.
    # The one retry is for a scheduler that stalls when the answer comes and takes the task for lost: it asks again.
    approve_release = Approval(
        task_id="approve_release",
        subject=f"Phê duyệt báo cáo kỳ {{{{ {RELEASE}['period'] }}}}, bản {{{{ {RELEASE}['release_id'] }}}}",
        body=f"{{{{ {RELEASE}['approval_markdown'] }}}}",
        defaults=Approval.REJECT,
        params={
            "reason": Param("", type="string", title="Lý do (bắt buộc khi chọn Reject)", format="multiline"),
        },
        response_timeout=timedelta(days=10),
        retries=1,
        retry_delay=timedelta(seconds=5),
        execution_timeout=None,
    )

    @task
    def record_decision(release: dict[str, Any], answer: dict[str, Any]) -> str:
        from etl import clock, steps
        from etl.errors import ReleaseError

        release_id = str(release["release_id"])
        if release["decision"] == "approved":
            return release_id
        said = decision_of(answer)
        recorded = steps.approve(
            release_id, release["manifest_sha256"], said["by"], said["decision"], clock.now(),
            reason=said["reason"], kind=said["kind"], channel="airflow",
        )  # fmt: skip
        if recorded["decision"] == "approved":
            return release_id
        if recorded["kind"] == "timeout":
            raise ReleaseError(f"{release_id}: {recorded['reason']} Clear từ freeze để trình lại.")
        raise AirflowSkipException(f"{recorded['decided_by']} không phê duyệt {release_id}: {recorded['reason']}")

    @task
    def publish(release_id: str) -> dict[str, Any]:
        from etl import clock, steps
        from etl.errors import ReleaseError

        result = steps.publish(release_id, clock.now(), smtp_url=smtp_url(), store=store())
        if result["failed"] or result["unknown"]:
            raise ReleaseError(
                f"{release_id} đã công bố nhưng còn {result['failed']} thư không gửi được và "
                f"{result['unknown']} thư không rõ đã gửi hay chưa: xem tiendo deliveries --release {release_id}."
            )
        return result

    month = resolve_period()
    release = freeze(month)
    wait_for_cutoff(month) >> release >> approve_release
    publish(record_decision(release, approve_release.output))


publish_monthly_summary()
