-- Effect of each playlist add on plays: the four weeks after the week of the add compared with the four before, minus
-- the same change for control recordings. Controls have the same main genre, plays before within the same factor of
-- two, and no add to a playlist within these weeks. The effect is the difference of the two changes in ln(plays + 1/2);
-- its standard error is that of one recording among its controls. Recordings need at least four plays before and ten
-- controls; adds whose weeks are not all in the log are left out, and so are recordings released after the first day of
-- the four weeks before. Adds follow rising interest as well as causing it, so an effect is no proof of cause.
-- grain: track_id, playlist_id
-- rows: 0
-- columns:
--   track_id         recording
--   playlist_id      playlist
--   added_at         time of the first add (UTC)
--   plays_before     plays per day in the four weeks before [1/d]
--   plays_after      plays per day in the four weeks after [1/d]
--   n_controls       control recordings [count]
--   control_lift     geometric mean factor by which plays of the controls changed [x]
--   lift             factor by which plays changed beyond the controls: exp(effect) [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
--   error            standard error of the effect [ln]
-- checks:
--   n_controls >= 10
--   low <= lift and lift <= high
-- reconcile:
--   (select count(*) from marts.playlist_effect) <= (select count(*) from marts.playlist_tracks where added_at is not null)
with controls as ( -- nullif: Spark divides before it leaves out groups of one control
    select
        week_no,
        genre,
        doubling,
        count(*) as n_controls,
        avg(change) as change,
        (sum(change * change) - sum(change) * sum(change) / count(*)) / nullif(count(*) - 1, 0) as variance
    from intermediate.playlist_week_changes
    where is_control
    group by week_no, genre, doubling
    having count(*) >= 10
),

effects as (
    select
        adds.track_id,
        adds.playlist_id,
        adds.added_at,
        changes.n_before,
        changes.n_after,
        controls.n_controls,
        controls.change as control_change,
        changes.change - controls.change as effect,
        sqrt(greatest(controls.variance, 0) * (1 + 1.0 / controls.n_controls)) as error
    from intermediate.playlist_adds as adds
    inner join intermediate.playlist_week_changes as changes on adds.week_no = changes.week_no and adds.track_id = changes.track_id
    inner join controls
        on changes.week_no = controls.week_no and changes.genre = controls.genre and changes.doubling = controls.doubling
)

select
    track_id,
    playlist_id,
    added_at,
    n_before / 28.0 as plays_before,
    n_after / 28.0 as plays_after,
    n_controls,
    round(exp(control_change), 6) as control_lift,
    round(exp(effect), 6) as lift,
    round(exp(effect - 1.96 * error), 6) as low,
    round(exp(effect + 1.96 * error), 6) as high,
    round(error, 6) as error
from effects
