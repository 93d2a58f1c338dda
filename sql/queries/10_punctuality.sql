-- 10. Trong năm, mỗi xã, phường gửi đúng hạn mấy kỳ, chậm mấy kỳ, thiếu mấy kỳ?
-- Over the year, how often was each commune on time, late, or without an accepted report?
-- Tham số | parameters: budget_year = 2025, as_of = 2025-10-31
-- Cột | columns: commune_code, commune_vi, periods_due, on_time, late, not_accepted, days_late (tổng)
\if :{?budget_year} \else \set budget_year '2025' \endif
\if :{?as_of} \else \set as_of '2025-10-31' \endif

select
    s.commune_code,
    max(s.commune_vi) as commune_vi,
    count(*) as periods_due,
    count(*) filter (where s.state = 'reported' and s.late_days = 0) as on_time,
    count(*) filter (where s.state = 'reported' and s.late_days > 0) as late,
    count(*) filter (where s.state <> 'reported') as not_accepted,
    coalesce(sum(s.late_days) filter (where s.state = 'reported'), 0) as days_late
from mart.submission_status as s
where
    s.budget_year = :'budget_year' and s.due_on <= :'as_of'
    and s.period >= (
        select min(m.period) from mart.completeness as m
        where m.budget_year = :'budget_year' and m.communes_reported > 0
    )
group by s.commune_code
order by not_accepted desc, late desc, days_late desc, s.commune_code asc;
