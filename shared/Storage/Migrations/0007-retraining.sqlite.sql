-- Set times at which it is decided whether to train. Every time up to looked_until is accounted for.
create table schedules (
    name text primary key,
    dataset text not null,
    definition_json text not null,
    source text not null check (source in ('settings', 'file', 'cli')),
    paused integer not null,
    looked_until integer not null,
    changed_at integer not null
) without rowid;

-- A time of a schedule that came: one row each, however many schedulers saw it come. What was decided then is in training_decisions.
create table fires (
    schedule text not null,
    fire_time integer not null,
    dataset text not null,
    recipe text not null,
    force integer not null,
    outcome text not null check (outcome in ('asked', 'skipped')),
    reason text not null,
    dataset_version integer,
    fired_at integer not null,
    primary key (schedule, fire_time)
) without rowid;
insert into fires (schedule, fire_time, dataset, recipe, force, outcome, reason, fired_at)
select dataset, fire_time, dataset, '', 0, case when train_json is null then 'skipped' else 'asked' end, 'its time came', fired_at from schedule_fires;

-- Whether a dataset was trained on, and why (not): at each new version, and at each fire. One that waits (for more drops, for a cool-down to end,
-- for drift to be measured) is decided later.
create table decisions (
    id text primary key,
    dataset text not null,
    version integer not null,
    cause text not null check (cause in ('new-data', 'schedule')),
    schedule text,
    fire_time integer,
    recipe text not null,
    state text not null check (state in ('waiting', 'decided')),
    run_id text,
    reason text not null,
    facts_json text,
    decided_at integer not null
) without rowid;
insert into decisions (id, dataset, version, cause, recipe, state, run_id, reason, decided_at)
select dataset || '-v' || version, dataset, version, 'new-data', '', 'decided', run_id, reason, decided_at from training_decisions;
-- The fires of before led to a training each.
insert into decisions (id, dataset, version, cause, schedule, fire_time, recipe, state, reason, decided_at)
select dataset || '@' || fire_time, dataset, 0, 'schedule', dataset, fire_time, '', 'decided', 'asked for a training', fired_at from schedule_fires where train_json is not null;

drop table schedule_fires;
alter table fires rename to schedule_fires;
create index schedule_fires_recent on schedule_fires (fired_at);
drop table training_decisions;
alter table decisions rename to training_decisions;
create index training_decisions_version on training_decisions (dataset, version);
create unique index training_decisions_fire on training_decisions (schedule, fire_time);
create index training_decisions_run on training_decisions (run_id);

-- When a dataset is worth training on again, as its owner declared it; where there is none, the pipeline's settings say.
create table retraining_policies (
    dataset text primary key,
    policy_json text not null,
    changed_at integer not null
) without rowid;
