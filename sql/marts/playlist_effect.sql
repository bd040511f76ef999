-- What an add to a playlist did: plays of the four weeks after the week of the add against the four before it, beside the
-- same change of recordings of the same genre, with plays before within the same doubling, and on no playlist within
-- those weeks. Effect is the difference of the two changes of ln(plays + 1/2); its error is that of one recording among
-- such controls. Recordings with at least four plays before and ten controls; weeks that the log does not hold are left
-- out. An add follows interest as well as making it: an effect is no proof.
-- grain: track_id, playlist_id
-- rows: 0
-- columns:
--   track_id         recording
--   playlist_id      playlist
--   added_at         when it was added, first of several times (UTC)
--   plays_before     plays a day before [1/d]
--   plays_after      plays a day after [1/d]
--   n_controls       recordings it is held against [count]
--   control_lift     what plays of the controls were multiplied by, on the geometric mean [x]
--   lift             what plays were multiplied by, beyond the controls: exp(effect) [x]
--   low              lower end of its 95 % interval [x]
--   high             upper end [x]
--   error            standard error of the effect, in ln
-- checks:
--   n_controls >= 10
--   low <= lift and lift <= high
-- reconcile:
--   (select count(*) from marts.playlist_effect) <= (select count(*) from marts.playlist_tracks where added_at is not null)
with controls as (
    select
        week_no,
        genre,
        doubling,
        count(*) as n_controls,
        avg(change) as change,
        (sum(change * change) - sum(change) * sum(change) / count(*)) / (count(*) - 1) as variance
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
        cells.n_before,
        cells.n_after,
        controls.n_controls,
        controls.change as control_change,
        cells.change - controls.change as effect,
        sqrt(greatest(controls.variance, 0) * (1 + 1.0 / controls.n_controls)) as error
    from intermediate.playlist_adds as adds
    inner join intermediate.playlist_week_changes as cells on adds.week_no = cells.week_no and adds.track_id = cells.track_id
    inner join controls
        on cells.week_no = controls.week_no and cells.genre = controls.genre and cells.doubling = controls.doubling
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
