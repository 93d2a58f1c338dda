-- The State Treasury (Kho bạc Nhà nước, TABMIS): statements as they were read, what their codes stand for, and each
-- comparison of the reports in force with the statement of the same date (checks CK28 to CK31).

create table ref.treasury_code (
    budget_code text not null,
    node_code text not null,
    capital_kind text check (capital_kind in ('DT', 'SN')),
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    unique nulls not distinct (budget_code, capital_kind, valid_from)
);

create table ref.treasury_unit (
    budget_unit_code text not null,
    commune_code text not null,
    valid_from date not null,
    valid_to date,
    verified boolean not null,
    primary key (budget_unit_code, valid_from)
);

create table core.treasury_statement (
    sha256 text primary key references raw.original,
    statement_id bigint generated always as identity unique,
    file_name text not null,
    as_of date not null,
    budget_year integer not null,
    loaded_at timestamptz not null
);
create index on core.treasury_statement (as_of, budget_year);

-- Rows as the statement has them; mapped as the lists stood when it was loaded, null where a code was not known then.
create table core.treasury_balance (
    sha256 text not null references core.treasury_statement,
    sheet text not null,
    row_no integer not null,
    cell text not null,
    budget_unit_code text not null,
    commune_code text,
    budget_code text not null,
    said_kind text check (said_kind in ('DT', 'SN')),
    node_code text,
    capital_kind text check (capital_kind in ('DT', 'SN')),
    completed numeric(20, 0),
    advance numeric(20, 0),
    total numeric(20, 0) not null,
    overdue numeric(20, 0),
    loaded_at timestamptz not null,
    primary key (sha256, sheet, row_no),
    check (total = completed + advance),
    check ((node_code is null) = (capital_kind is null))
);

create table core.treasury_posting (
    sha256 text not null references core.treasury_statement,
    sheet text not null,
    row_no integer not null,
    cell text not null,
    budget_unit_code text not null,
    commune_code text,
    budget_code text not null,
    said_kind text check (said_kind in ('DT', 'SN')),
    node_code text,
    capital_kind text check (capital_kind in ('DT', 'SN')),
    posted_on date not null,
    document_no text not null,
    kind text check (kind in ('advance', 'payment', 'recovery')),
    amount numeric(20, 0) not null,
    loaded_at timestamptz not null,
    primary key (sha256, sheet, row_no),
    check ((node_code is null) = (capital_kind is null))
);
create index on core.treasury_posting (sha256, posted_on);

-- A row that the lists map otherwise than before, noted when its statement is loaded again: the last one counts from
-- its own moment on.
create table core.treasury_mapping (
    sha256 text not null references core.treasury_statement,
    sheet text not null,
    row_no integer not null,
    commune_code text,
    node_code text,
    capital_kind text,
    mapped_at timestamptz not null,
    primary key (sha256, sheet, row_no, mapped_at)
);

create table core.reconciliation (
    reconciliation_id bigint generated always as identity primary key,
    period text not null,
    budget_year integer not null,
    as_of date not null,
    sha256 text not null references core.treasury_statement,
    known_at timestamptz not null,
    communes text[] not null,
    outcome_sha256 text not null,
    unique (period, budget_year, sha256, known_at)
);

create table core.reconciliation_difference (
    reconciliation_id bigint not null references core.reconciliation,
    difference_no integer not null,
    kind text not null check (
        kind in (
            'posting_date', 'wrong_code', 'missing_unit', 'unexplained', 'advance', 'advance_overdue', 'unknown_code',
            'unknown_unit'
        )
    ),
    commune_code text,
    node_code text,
    capital_kind text,
    line_codes text[] not null,
    reported numeric(20, 0),
    treasury numeric(20, 0) not null,
    difference numeric(20, 0) not null,
    explained_by text,
    open_since text not null,
    submission_id bigint references raw.submission,
    sheet text,
    cell text,
    primary key (reconciliation_id, difference_no)
);

do $$
declare
    t text;
begin
    foreach t in array array[
        'core.treasury_statement', 'core.treasury_balance', 'core.treasury_posting', 'core.treasury_mapping',
        'core.reconciliation', 'core.reconciliation_difference'
    ] loop
        execute format(
            'create trigger append_only before update or delete or truncate on %s '
            'for each statement execute function audit.refuse_change()', t
        );
    end loop;
end
$$;

-- The statement that speaks for a date and budget year, as known at a moment: of those loaded by then the last one.
create function core.treasury_in_force(p_known_at timestamptz)
returns table (
    sha256 text,
    as_of date,
    budget_year integer,
    file_name text,
    loaded_at timestamptz
)
language sql stable
as $$
    select distinct on (s.as_of, s.budget_year) s.sha256, s.as_of, s.budget_year, s.file_name, s.loaded_at
    from core.treasury_statement as s
    where s.loaded_at <= p_known_at
    order by s.as_of, s.budget_year, s.loaded_at desc, s.statement_id desc
$$;

-- What each row of a statement stands for, as known at a moment: as it was loaded, or as it was mapped since.
create function core.treasury_place(p_sha256 text, p_known_at timestamptz)
returns table (
    sheet text,
    row_no integer,
    commune_code text,
    node_code text,
    capital_kind text
)
language sql stable
as $$
    with mapped as (
        select distinct on (m.sheet, m.row_no) m.sheet, m.row_no, m.commune_code, m.node_code, m.capital_kind
        from core.treasury_mapping as m
        where m.sha256 = p_sha256 and m.mapped_at <= p_known_at
        order by m.sheet, m.row_no, m.mapped_at desc
    ),

    loaded as (
        select b.sheet, b.row_no, b.commune_code, b.node_code, b.capital_kind
        from core.treasury_balance as b
        where b.sha256 = p_sha256
        union all
        select p.sheet, p.row_no, p.commune_code, p.node_code, p.capital_kind
        from core.treasury_posting as p
        where p.sha256 = p_sha256
    )

    select
        l.sheet,
        l.row_no,
        case when m.row_no is null then l.commune_code else m.commune_code end as commune_code,
        case when m.row_no is null then l.node_code else m.node_code end as node_code,
        case when m.row_no is null then l.capital_kind else m.capital_kind end as capital_kind
    from loaded as l
    left join mapped as m on l.sheet = m.sheet and l.row_no = m.row_no
$$;

comment on table ref.treasury_code is
'Mã chương trình, dự án của Kho bạc Nhà nước (TABMIS) ứng với nội dung của cây chương trình'
' | Budget codes of the State Treasury (TABMIS) and the node of the programme tree that each stands for';
comment on column ref.treasury_code.budget_code is
'Mã CTMT, DA trong TABMIS | Programme or project code in TABMIS';
comment on column ref.treasury_code.node_code is
'Mã nội dung trong cây chương trình; có thể là một mục lớn | Node of the programme tree; may be a heading';
comment on column ref.treasury_code.capital_kind is
'Loại vốn: DT, SN; trống: do sao kê ghi | Capital kind: DT, SN; null: as the statement says';
comment on column ref.treasury_code.valid_from is
'Áp dụng từ ngày | Valid from';
comment on column ref.treasury_code.valid_to is
'Áp dụng đến hết ngày | Valid up to and including';
comment on column ref.treasury_code.verified is
'Đã có nguồn xác nhận | Whether a source confirmed it';
comment on table ref.treasury_unit is
'Mã đơn vị có quan hệ với ngân sách (ĐVQHNS) của từng xã, phường | Budget units and the commune of each';
comment on column ref.treasury_unit.budget_unit_code is
'Mã ĐVQHNS | Code of the budget unit';
comment on column ref.treasury_unit.commune_code is
'Mã xã, phường (5 chữ số) | Commune code, five digits';
comment on column ref.treasury_unit.valid_from is
'Áp dụng từ ngày | Valid from';
comment on column ref.treasury_unit.valid_to is
'Áp dụng đến hết ngày | Valid up to and including';
comment on column ref.treasury_unit.verified is
'Đã có nguồn xác nhận | Whether a source confirmed it';
comment on table core.treasury_statement is
'Sao kê của Kho bạc Nhà nước đã nạp; cùng ngày và năm thì bản nạp sau thay bản trước từ lúc nạp'
' | Statements of the State Treasury; of one date and year the one loaded last speaks, from its loading on';
comment on column core.treasury_statement.sha256 is
'Mã băm của tệp gốc trong kho lưu | Hash of the archived original';
comment on column core.treasury_statement.statement_id is
'Thứ tự nạp | Order of loading';
comment on column core.treasury_statement.file_name is
'Tên tệp | Name of the file';
comment on column core.treasury_statement.as_of is
'Số liệu lũy kế đến hết ngày | Day up to which amounts are cumulative';
comment on column core.treasury_statement.budget_year is
'Năm ngân sách | Budget year';
comment on column core.treasury_statement.loaded_at is
'Lúc nạp (UTC) | When it was loaded (UTC)';
comment on table core.treasury_balance is
'Số dư theo sao kê: mỗi đơn vị, mã và loại vốn một dòng'
' | Balances of a statement: a row per unit, code and capital kind';
comment on column core.treasury_balance.sha256 is
'Mã băm của sao kê | Hash of the statement';
comment on column core.treasury_balance.sheet is
'Trang tính | Sheet';
comment on column core.treasury_balance.row_no is
'Số dòng trên trang | Row on the sheet';
comment on column core.treasury_balance.budget_unit_code is
'Mã ĐVQHNS trên sao kê | Budget unit as the statement has it';
comment on column core.treasury_balance.commune_code is
'Mã xã, phường ứng với đơn vị; trống: chưa biết | Commune of the unit; null: not known';
comment on column core.treasury_balance.budget_code is
'Mã CTMT, DA trên sao kê | Budget code as the statement has it';
comment on column core.treasury_balance.said_kind is
'Loại vốn do sao kê ghi | Capital kind as the statement says';
comment on column core.treasury_balance.node_code is
'Mã nội dung ứng với mã CTMT, DA; trống: chưa biết | Node that the code stands for; null: not known';
comment on column core.treasury_balance.capital_kind is
'Loại vốn: DT, SN; trống: chưa biết | Capital kind: DT, SN; null: not known';
comment on column core.treasury_balance.loaded_at is
'Lúc nạp (UTC) | When it was loaded (UTC)';
comment on column core.treasury_balance.cell is
'Ô của tổng giải ngân lũy kế | Cell of the total';
comment on column core.treasury_balance.completed is
'Thanh toán khối lượng hoàn thành, lũy kế [đồng]; trống: sao kê không tách | Paid for completed volume, cumulative [vnd]; null: not parted';
comment on column core.treasury_balance.advance is
'Tạm ứng chưa thu hồi [đồng] | Advances not yet recovered [vnd]';
comment on column core.treasury_balance.total is
'Tổng giải ngân lũy kế [đồng] | Disbursed, cumulative [vnd]';
comment on column core.treasury_balance.overdue is
'Tạm ứng quá hạn thu hồi; trống: sao kê không có cột này [đồng]'
' | Advances past their term; null: not in the statement [vnd]';
comment on table core.treasury_posting is
'Chứng từ hạch toán theo sao kê | Documents booked, as the statement lists them';
comment on column core.treasury_posting.sha256 is
'Mã băm của sao kê | Hash of the statement';
comment on column core.treasury_posting.sheet is
'Trang tính | Sheet';
comment on column core.treasury_posting.row_no is
'Số dòng trên trang | Row on the sheet';
comment on column core.treasury_posting.budget_unit_code is
'Mã ĐVQHNS trên sao kê | Budget unit as the statement has it';
comment on column core.treasury_posting.commune_code is
'Mã xã, phường ứng với đơn vị; trống: chưa biết | Commune of the unit; null: not known';
comment on column core.treasury_posting.budget_code is
'Mã CTMT, DA trên sao kê | Budget code as the statement has it';
comment on column core.treasury_posting.said_kind is
'Loại vốn do sao kê ghi | Capital kind as the statement says';
comment on column core.treasury_posting.node_code is
'Mã nội dung ứng với mã CTMT, DA; trống: chưa biết | Node that the code stands for; null: not known';
comment on column core.treasury_posting.capital_kind is
'Loại vốn: DT, SN; trống: chưa biết | Capital kind: DT, SN; null: not known';
comment on column core.treasury_posting.loaded_at is
'Lúc nạp (UTC) | When it was loaded (UTC)';
comment on column core.treasury_posting.cell is
'Ô của số tiền | Cell of the amount';
comment on column core.treasury_posting.posted_on is
'Ngày hạch toán | Day of booking';
comment on column core.treasury_posting.document_no is
'Số chứng từ | Number of the document';
comment on column core.treasury_posting.kind is
'Loại phát sinh: advance (tạm ứng), payment (thanh toán), recovery (thu hồi) | Kind of posting; null: not said';
comment on column core.treasury_posting.amount is
'Số tiền, thu hồi ghi âm [đồng] | Signed amount, recoveries negative [vnd]';
comment on table core.treasury_mapping is
'Dòng sao kê được nhận ra lại khi nạp lại sau khi danh mục thay đổi'
' | Rows mapped anew when a statement was loaded again after the lists had changed';
comment on column core.treasury_mapping.sha256 is
'Mã băm của sao kê | Hash of the statement';
comment on column core.treasury_mapping.sheet is
'Trang tính | Sheet';
comment on column core.treasury_mapping.row_no is
'Số dòng trên trang | Row on the sheet';
comment on column core.treasury_mapping.commune_code is
'Mã xã, phường ứng với đơn vị; trống: chưa biết | Commune of the unit; null: not known';
comment on column core.treasury_mapping.node_code is
'Mã nội dung ứng với mã CTMT, DA; trống: chưa biết | Node that the code stands for; null: not known';
comment on column core.treasury_mapping.capital_kind is
'Loại vốn: DT, SN; trống: chưa biết | Capital kind: DT, SN; null: not known';
comment on column core.treasury_mapping.mapped_at is
'Lúc nhận ra (UTC) | When it was mapped (UTC)';
comment on table core.reconciliation is
'Mỗi lần đối chiếu các báo cáo đang có hiệu lực với sao kê cùng ngày'
' | Each comparison of the reports in force with the statement of the same date';
comment on column core.reconciliation.reconciliation_id is
'Số lần đối chiếu | Number of the run';
comment on column core.reconciliation.period is
'Kỳ báo cáo (năm-tháng) | Reporting period (YYYY-MM)';
comment on column core.reconciliation.budget_year is
'Năm ngân sách | Budget year';
comment on column core.reconciliation.as_of is
'Ngày chốt số liệu của hai bên | As-of date of both sides';
comment on column core.reconciliation.sha256 is
'Mã băm của sao kê | Hash of the statement';
comment on column core.reconciliation.known_at is
'Đối chiếu những gì biết đến lúc này (UTC) | What was known at this moment was compared (UTC)';
comment on column core.reconciliation.communes is
'Mã các xã, phường có báo cáo được đối chiếu | Communes whose reports were compared';
comment on column core.reconciliation.outcome_sha256 is
'Mã băm của đầu vào và kết quả: không đổi thì không ghi lần mới | Hash of inputs and outcome: unchanged, no new run';
comment on table core.reconciliation_difference is
'Chênh lệch giữa báo cáo và Kho bạc Nhà nước, mỗi nguyên nhân một dòng'
' | Differences between report and Treasury, a row per cause';
comment on column core.reconciliation_difference.reconciliation_id is
'Số lần đối chiếu | Number of the run';
comment on column core.reconciliation_difference.difference_no is
'Thứ tự | Order';
comment on column core.reconciliation_difference.kind is
'Loại: posting_date (ngày hạch toán), wrong_code (nhầm mã), missing_unit (sao kê thiếu đơn vị), unexplained'
' (chưa rõ), advance (số dư tạm ứng), advance_overdue (tạm ứng quá hạn), unknown_code (mã chưa biết),'
' unknown_unit (đơn vị chưa biết)'
' | Kind of difference';
comment on column core.reconciliation_difference.commune_code is
'Mã xã, phường; trống: cả sao kê | Commune; null: the statement as a whole';
comment on column core.reconciliation_difference.node_code is
'Nơi so sánh trong cây chương trình; trống: cả đơn vị | Node at which it was compared; null: the whole unit';
comment on column core.reconciliation_difference.capital_kind is
'Loại vốn | Capital kind';
comment on column core.reconciliation_difference.line_codes is
'Các dòng Biểu 01 được cộng lại; rỗng: báo cáo không có dòng | Lines of form B01 added up; empty: not in the report';
comment on column core.reconciliation_difference.reported is
'Số báo cáo [đồng] | Reported amount [vnd]';
comment on column core.reconciliation_difference.treasury is
'Số của Kho bạc Nhà nước [đồng] | Amount of the Treasury [vnd]';
comment on column core.reconciliation_difference.difference is
'Phần chênh lệch do nguyên nhân này, báo cáo trừ Kho bạc [đồng]; tạm ứng quá hạn: số quá hạn'
' | Part of the difference due to this cause, report less Treasury [vnd]; advance_overdue: the overdue amount';
comment on column core.reconciliation_difference.explained_by is
'Căn cứ: ngày hạch toán và chứng từ, hoặc các mã | Evidence: date and number of documents, or the codes';
comment on column core.reconciliation_difference.open_since is
'Kỳ đầu tiên mà chênh lệch này có liên tục đến nay | First period since which it has differed without interruption';
comment on column core.reconciliation_difference.submission_id is
'Báo cáo được đối chiếu | The report that was compared';
comment on column core.reconciliation_difference.sheet is
'Trang của sao kê | Sheet of the statement';
comment on column core.reconciliation_difference.cell is
'Ô đầu tiên của số Kho bạc | First cell of the amount of the Treasury';
