-- 19. Số liệu của một dòng lấy từ báo cáo nào, tệp nào, trang tính và dòng nào?
-- Which submission, file, sheet and row does the number of a line come from?
-- Tham số | parameters: period = 2025-10, budget_year = 2025, commune = 06463, line = GNBV-DA4-TDA3-SN
-- Cột | columns: disb_ytd (vnd), submission_id, file_name, sha256, sheet, row_no, received_at
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif
\if :{?commune} \else \set commune '06463' \endif
\if :{?line} \else \set line 'GNBV-DA4-TDA3-SN' \endif

select
    l.disb_ytd,
    l.submission_id,
    s.file_name,
    s.sha256,
    'B01-GiaiNgan' as sheet,
    l.row_no,
    s.received_at
from mart.disbursement_line as l
left join mart.submission as s
    on l.period = s.period and l.budget_year = s.budget_year and l.submission_id = s.submission_id
where
    l.period = :'period' and l.budget_year = :'budget_year' and l.commune_code = :'commune'
    and l.line_code = :'line';
