-- 12. Kiến nghị chưa giải quyết: ở cơ quan nào, đã bao nhiêu tháng từ lần đầu báo cáo?
-- Proposals that are not settled: with which agency, and for how many months since first reported?
-- Tham số | parameters: period = 2025-10, budget_year = 2025
-- Cột | columns: addressee, months_open, proposals, communes
\if :{?period} \else \set period '2025-10' \endif
\if :{?budget_year} \else \set budget_year '2025' \endif

with open_now as (
    select
        p.addressee,
        p.commune_code,
        (left(p.period, 4)::integer - substring(p.issue_id from '-([0-9]{4})-[0-9]{2}-')::integer) * 12
        + right(p.period, 2)::integer - substring(p.issue_id from '-[0-9]{4}-([0-9]{2})-')::integer as months_open
    from mart.proposal as p
    where p.period = :'period' and p.budget_year = :'budget_year' and p.state <> 'Đã giải quyết'
)

select
    o.addressee,
    o.months_open,
    count(*) as proposals,
    count(distinct o.commune_code) as communes
from open_now as o
group by o.addressee, o.months_open
order by o.addressee asc, o.months_open desc;
