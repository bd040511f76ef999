-- Metadata on which two sources, two copies of a recording (marts.duplicate_links), or the delivery and the lyrics
-- (marts.lyric_conflicts) disagree. A missing flag for explicit lyrics is named from 90 % on, a wrong one from 98 % on.
-- grain: track_id, issue
-- rows: 0
-- columns:
--   track_id       recording
--   issue          sources_differ, copies_differ_in_language, copies_differ_in_explicit, copies_differ_in_consent, lyrics_differ_in_language or lyrics_differ_in_explicit
--   detail         of sources, the first attribute with both values, and how many others differ; of copies, the own value; of lyrics, what was stated and what they tell
--   is_same_label  whether the other recording has the same label; of sources, whether none states another label; of lyrics true
-- reconcile:
--   (select count(*) from intermediate.conflicting_values where issue = 'sources_differ') = (select count(distinct track_id) from marts.metadata_conflicts)
with sources as (
    select
        track_id,
        min(concat(attribute, ': ', value, ' / ', other_value)) as first_conflict,
        count(distinct attribute) - 1 as n_others,
        count_if(attribute = 'label_id') = 0 as is_same_label
    from marts.metadata_conflicts
    group by track_id
),

copies as (
    select
        track_id,
        same_as as other_track_id,
        is_same_label
    from marts.duplicate_links
    union all
    select
        same_as as track_id,
        track_id as other_track_id,
        is_same_label
    from marts.duplicate_links
),

pairs as (
    select
        own.track_id,
        own.language,
        own.explicit,
        own.training_consent,
        copies.is_same_label,
        own.language <> other.language and 'unknown' not in (own.language, other.language) as other_language,
        own.explicit <> other.explicit as other_explicit,
        own.training_consent <> other.training_consent
        and 'unknown' not in (own.training_consent, other.training_consent) as other_consent
    from copies
    inner join marts.track_features as own on copies.track_id = own.track_id
    inner join marts.track_features as other on copies.other_track_id = other.track_id
)

-- noqa: disable=LT05,LT09,LT14
select track_id, 'sources_differ' as issue, case when n_others = 0 then first_conflict else concat(first_conflict, ' and ', cast(n_others as varchar), ' more') end as detail, is_same_label from sources
union all
select track_id, 'copies_differ_in_language' as issue, language as detail, max(is_same_label) as is_same_label from pairs where other_language group by track_id, language
union all
select track_id, 'copies_differ_in_explicit' as issue, cast(explicit as varchar) as detail, max(is_same_label) as is_same_label from pairs where other_explicit group by track_id, explicit
union all
select track_id, 'copies_differ_in_consent' as issue, training_consent as detail, max(is_same_label) as is_same_label from pairs where other_consent group by track_id, training_consent
union all
select track_id, case when finding = 'wrong_language' then 'lyrics_differ_in_language' else 'lyrics_differ_in_explicit' end as issue, concat(stated, ' / ', found) as detail, true as is_same_label from marts.lyric_conflicts where certainty >= case finding when 'wrong_language' then 0 when 'unmarked' then 0.9 else 0.98 end
-- noqa: enable=LT05,LT09,LT14
