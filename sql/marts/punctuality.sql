-- Each commune's reporting over a budget year: of the periods whose due date has passed by the day of the moment, how
-- many it reported, in time or late, and how many are missing or were sent back.
create function mart.punctuality_at(p_known_at timestamptz)
returns table (
    budget_year integer,
    commune_code text,
    commune_vi text,
    periods_due integer,
    periods_reported integer,
    periods_in_time integer,
    periods_late integer,
    periods_missing integer,
    periods_sent_back integer,
    late_days integer,
    longest_late_days integer,
    versions integer
)
language sql stable
as $$
    select
        s.budget_year,
        s.commune_code,
        max(s.commune_vi) as commune_vi,
        count(*)::integer as periods_due,
        count(*) filter (where s.state = 'reported')::integer as periods_reported,
        count(*) filter (where s.state = 'reported' and s.late_days = 0)::integer as periods_in_time,
        count(*) filter (where s.state = 'reported' and s.late_days > 0)::integer as periods_late,
        count(*) filter (where s.state = 'missing')::integer as periods_missing,
        count(*) filter (where s.state in ('returned', 'refused'))::integer as periods_sent_back,
        coalesce(sum(s.late_days), 0)::integer as late_days,
        coalesce(max(s.late_days), 0)::integer as longest_late_days,
        sum(s.versions)::integer as versions
    from mart.submission_status_at(p_known_at) as s
    where
        s.versions > 0
        or s.due_on < (
            case
                when p_known_at < 'infinity' then p_known_at
                else (select max(x.known_from) from mart.submission_history as x)
            end at time zone 'Asia/Ho_Chi_Minh'
        )::date
    group by s.budget_year, s.commune_code
$$;
