-- The one derivation of a task's state (law 15, DOMAIN.md 4.2): lateness is computed, never reported; what has no date
-- is never overdue; overdue starts the day after the deadline; due soon is counted in working days up to a threshold.
create function mart.task_state_name(
    p_as_of date, p_due_date date, p_done_date date, p_is_withdrawn boolean, p_is_standing boolean,
    p_known_at timestamptz
) returns text
language sql stable
as $$
    select case
        when p_is_withdrawn then 'Thôi thực hiện'
        when p_done_date > p_due_date then 'Đã hoàn thành quá hạn'
        when p_done_date is not null then 'Đã hoàn thành đúng hạn'
        when p_as_of > p_due_date then 'Đang thực hiện quá hạn'
        when
            p_due_date is not null and ref.working_days_known(p_as_of, p_due_date, p_known_at)
            <= (
                select h.value from ref.threshold as h
                where
                    h.threshold_code = 'due_soon_working_days' and p_as_of >= h.valid_from
                    and (h.valid_to is null or p_as_of <= h.valid_to)
            ) then 'Sắp đến hạn'
        when p_due_date is not null then 'Đang thực hiện trong hạn'
        when p_is_standing then 'Nhiệm vụ thường xuyên / định kỳ'
        else 'Không quy định thời hạn'
    end
$$;
