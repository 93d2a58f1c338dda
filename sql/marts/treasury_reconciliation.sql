-- Differences between the reports in force and the State Treasury's statement of the same date (checks CK28 to CK30), of
-- the latest comparison of each period and budget year. One row per cause; amounts that agree have no row.
create function mart.treasury_reconciliation_at(p_known_at timestamptz)
returns table (
    period text,
    budget_year integer,
    as_of date,
    commune_code text,
    commune_vi text,
    node_code text,
    node_vi text,
    capital_kind text,
    kind text,
    line_codes text[],
    reported numeric,
    treasury numeric,
    difference numeric,
    explained_by text,
    open_since text,
    months_open integer,
    submission_id bigint,
    statement_file text,
    sheet text,
    cell text,
    compared_at timestamptz
)
language sql stable
as $$
    with latest as (
        select distinct on (r.period, r.budget_year) r.*
        from core.reconciliation as r
        where r.known_at <= p_known_at
        order by r.period, r.budget_year, r.known_at desc, r.reconciliation_id desc
    )

    select
        l.period,
        l.budget_year,
        l.as_of,
        d.commune_code,
        c.name_vi as commune_vi,
        d.node_code,
        n.name_vi as node_vi,
        d.capital_kind,
        d.kind,
        d.line_codes,
        d.reported,
        d.treasury,
        d.difference,
        d.explained_by,
        d.open_since,
        (left(l.period, 4)::integer - left(d.open_since, 4)::integer) * 12
        + right(l.period, 2)::integer - right(d.open_since, 2)::integer + 1 as months_open,
        d.submission_id,
        s.file_name as statement_file,
        d.sheet,
        d.cell,
        l.known_at as compared_at
    from latest as l
    inner join core.reconciliation_difference as d on l.reconciliation_id = d.reconciliation_id
    inner join core.treasury_statement as s on l.sha256 = s.sha256
    left join ref.unit as c
        on d.commune_code = c.commune_code and l.as_of >= c.valid_from and (c.valid_to is null or l.as_of <= c.valid_to)
    left join ref.programme_node as n
        on d.node_code = n.code and l.as_of >= n.valid_from and (n.valid_to is null or l.as_of <= n.valid_to)
$$;
