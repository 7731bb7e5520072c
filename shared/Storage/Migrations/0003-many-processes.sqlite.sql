-- Several processes send from one outbox: each claims what it is about to send; the claim of one that died runs out.
alter table outbox add column claimed_until integer not null default 0;

-- W3C trace context of what wrote the row, so that one trace follows a dataset through messages and jobs.
alter table outbox add column trace text;
alter table jobs add column trace text;

-- Times at which a schedule asked for a training: one row each, however many schedulers saw the time come.
create table schedule_fires (
    dataset text not null,
    fire_time integer not null,
    train_json text,
    fired_at integer not null,
    primary key (dataset, fire_time)
) without rowid;
create index schedule_fires_recent on schedule_fires (fired_at);
