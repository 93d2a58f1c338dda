-- What the checks of a whole period found when it was frozen (CK32, CK33, CK39, CK40, BT01 to BT03): part of the release.

create table release.finding (
    release_id text not null references release.release,
    finding_no integer not null,
    rule_id text not null,
    expectation_id text not null,
    severity text not null check (severity in ('error', 'warning', 'info')),
    commune_code text,
    line text,
    sheet text,
    cell text,
    submission_id bigint references raw.submission,
    value text,
    expected text,
    difference text,
    unit text not null check (unit in ('vnd', 'percent', 'quantity', 'ratio', 'text')),
    message_vi text not null,
    primary key (release_id, finding_no)
);

create trigger append_only before update or delete or truncate on release.finding
for each statement execute function audit.refuse_change();

comment on table release.finding is
'Phát hiện khi kiểm tra cả kỳ lúc chốt bản tổng hợp | What the checks of the whole period found when it was frozen';
comment on column release.finding.release_id is
'Bản tổng hợp | Release';
comment on column release.finding.finding_no is
'Số thứ tự trong bản tổng hợp | Number within the release';
comment on column release.finding.rule_id is
'Mã quy tắc | Id of the rule';
comment on column release.finding.expectation_id is
'Mã kỳ vọng trong danh mục quy tắc | Id of the expectation in the catalogue';
comment on column release.finding.severity is
'Mức: error (lỗi), warning (cảnh báo), info (lưu ý) | error, warning or info';
comment on column release.finding.commune_code is
'Mã xã, phường (5 chữ số); trống: cả tài liệu | Commune code, five digits; null: the documents as a whole';
comment on column release.finding.line is
'Mã dòng Biểu 01 hoặc mã chỉ tiêu Biểu 02 | Line code of form B01 or indicator code of form B02';
comment on column release.finding.sheet is
'Trang tính của báo cáo | Sheet of the report';
comment on column release.finding.cell is
'Ô của báo cáo | Cell of the report';
comment on column release.finding.submission_id is
'Báo cáo có số liệu này | The submission that holds the figure';
comment on column release.finding.value is
'Số đã ghi (tiền: đồng) | What was found (money in đồng)';
comment on column release.finding.expected is
'Số thông thường hoặc đúng ra (tiền: đồng) | What is usual or right (money in đồng)';
comment on column release.finding.difference is
'Chênh lệch (tiền: đồng) | Difference (money in đồng)';
comment on column release.finding.unit is
'Đơn vị của ba cột trên: vnd, percent, quantity, ratio, text | Unit of the three columns before';
comment on column release.finding.message_vi is
'Thông báo | Message';
