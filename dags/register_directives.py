"""### Đưa thông báo kết luận vào sổ nhiệm vụ

Mỗi văn bản một lượt chạy: `collect_directives` mở khi có văn bản trong thư mục, hoặc *Trigger* và ghi đường dẫn tệp
(.txt, .docx, .pdf có chữ) trên máy chủ. Hệ thống đọc thành nhiệm vụ đề xuất, **chờ người đăng ký xác nhận**, rồi mới
vào sổ.

**Trả lời:** mục *Required Actions*. Đối chiếu bảng nhiệm vụ; ghi số, ngày, cơ quan ban hành khi văn bản không ghi; ghi
các mục bỏ (`2.b; 3`) và các mục sửa, mỗi dòng một mục: `6.1 | thời hạn = 31/10/2025 | chủ trì = Sở Tài chính`. Muốn
xem từng dòng cạnh nguyên văn thì điền bảng tính trong `var/out/van-ban/`, đặt vào thư mục văn bản (hoặc `tiendo
register confirm`); khi đó câu trả lời ở đây không còn tác dụng. Hết hạn mà không ai trả lời thì không có gì vào sổ.

**Khi một tác vụ màu đỏ**

* `propose`: không có tệp, hoặc tệp không đọc được (bản quét, .doc): dòng cuối nhật ký nói phải làm gì.
* `confirm_tasks`: 10 ngày không ai trả lời; *Clear* để hỏi lại (văn bản đã vào sổ bằng bảng tính thì không cần).
* `register`: câu trả lời thiếu hoặc sai (dòng cuối nhật ký kể từng lỗi), chưa có gì vào sổ: *Clear* `confirm_tasks`.

**Màu hồng (skipped)**: văn bản đã vào sổ trước đây, hoặc người đăng ký chọn *Không vào sổ*.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from etl.airflow_io import TIMEZONE, default_args

PROPOSED = "ti.xcom_pull(task_ids='propose')"
TAKE, LEAVE = "Vào sổ", "Không vào sổ"


def text(title: str, **schema: Any) -> Param:
    return Param("", type="string", title=title, **schema)


@dag(
    dag_id="register_directives",
    schedule=None,
    start_date=pendulum.datetime(2025, 7, 1, tz=TIMEZONE),
    catchup=False,
    # Each waits for a person; none may keep another from being asked.
    max_active_runs=100,
    default_args=default_args(),
    params={
        "file": Param("", type="string", title="Tệp văn bản trên máy chủ"),
        "notice": Param(None, type=["null", "integer"], title="Hoặc số văn bản đã đọc (tiendo register list)"),
        "issued": Param(
            None, type=["null", "string"], pattern=r"^\d{4}-\d{2}-\d{2}$", title="Ngày ban hành (NNNN-TT-NN)"
        ),
    },
    tags=["sổ nhiệm vụ"],
    doc_md=__doc__,
)
def register_directives() -> None:
    """The answer binds to the reading that was shown: its number goes from ``propose`` to ``register``."""

    @task
    def propose() -> dict[str, Any]:
        from datetime import date
        from pathlib import Path

        from etl import clock, task_steps

        params = get_current_context()["params"]
        if params.get("notice"):
            told = task_steps.proposed(params["notice"])
        else:
            issued = date.fromisoformat(params["issued"]) if params.get("issued") else None
            told = task_steps.propose_notice(Path(params["file"]), "register_directives", clock.now(), issued)
        if told["directive_id"]:
            raise AirflowSkipException(f"Văn bản đã vào sổ: {told['directive_id']}.")
        return told

    # No ``defaults``: silence is not consent, an unanswered request fails when its time is over.
    confirm_tasks = HITLOperator(
        task_id="confirm_tasks",
        subject=f"Xác nhận {{{{ {PROPOSED}['tasks'] }}}} nhiệm vụ, văn bản số {{{{ {PROPOSED}['notice_id'] }}}}",
        body=f"{{{{ {PROPOSED}['markdown'] }}}}",
        options=[TAKE, LEAVE],
        params={
            "doc_no": text("Số, ký hiệu (trống: như văn bản ghi)"),
            "doc_date": text("Ngày ban hành (trống: như văn bản ghi)"),
            "issuer": text("Cơ quan ban hành (trống: như văn bản ghi)"),
            "commune": text("Mã xã, phường được kiểm tra (nếu có)"),
            "drop": text("Các mục bỏ, cách nhau bằng dấu ;"),
            "changes": text("Các mục sửa, mỗi dòng: mục | trường = giá trị", format="multiline"),
            "reason": text("Lý do không vào sổ"),
        },
        response_timeout=timedelta(days=10),
        retries=1,
        retry_delay=timedelta(seconds=5),
        execution_timeout=None,
    )

    @task
    def register(proposed: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        from etl import clock, task_steps

        by, said = answer["responded_by_user"]["name"], answer["params_input"]
        if before := task_steps.proposed(proposed["notice_id"])["directive_id"]:
            raise AirflowSkipException(f"Văn bản đã vào sổ trong khi chờ: {before}.")
        if answer["chosen_options"] != [TAKE]:
            task_steps.reject_notice(proposed["notice_id"], said.get("reason") or "", by, "airflow", clock.now())
            raise AirflowSkipException(f"{by} không đưa văn bản số {proposed['notice_id']} vào sổ.")
        return task_steps.register_form(proposed["notice_id"], said, by, clock.now())

    proposed = propose()
    proposed >> confirm_tasks
    register(proposed, confirm_tasks.output)


register_directives()
