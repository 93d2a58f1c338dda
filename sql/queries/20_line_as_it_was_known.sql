-- 20. Số của một dòng qua các lần biết: từ lúc nào đến lúc nào là bao nhiêu?
-- The history of one line as it was known: which figure from when until when?
-- Tham số | parameters: period = 2025-10, budget_year = 2025, commune = 06463, line = GNBV-DA4-TDA3-SN
-- Cột | columns: known_from, known_to (trống: còn đúng), plan_total, disb_ytd (vnd), submission_id
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif
\if :{?commune} \else \set commune '06463' \endif
\if :{?line} \else \set line 'GNBV-DA4-TDA3-SN' \endif

select
    h.known_from,
    nullif(h.known_to, 'infinity') as known_to,
    h.plan_total,
    h.disb_ytd,
    h.submission_id
from mart.disbursement_line_history as h
where
    h.period = :'period' and h.budget_year = :'budget_year' and h.commune_code = :'commune'
    and h.line_code = :'line'
order by h.known_from;
