-- The one definition of a rate (law 6): numerator / denominator x 100, half-up (away from zero), two decimals; blank
-- when the denominator is 0. Whole-number division keeps the rounding exact for amounts of any size.
create function mart.rate_pct(p_numerator numeric, p_denominator numeric) returns numeric
language sql immutable
as $$
    select case
        when p_denominator <> 0 then
            round(
                sign(p_numerator) * sign(p_denominator)
                * div(abs(p_numerator) * 20000 + abs(p_denominator), 2 * abs(p_denominator)) / 100, 2
            )
    end
$$;
