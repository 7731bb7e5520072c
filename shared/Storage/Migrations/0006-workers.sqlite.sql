-- What a job asks of its worker, and in whose fair share it counts; when it was last started, how often it gave way to a more urgent one.
alter table jobs add column needs text;
alter table jobs add column share text;
alter table jobs add column started_at integer;
alter table jobs add column gave_way integer not null default 0;
alter table jobs add column asked_to_give_way integer not null default 0;
create index jobs_share on jobs (kind, share, state, started_at);

alter table runs add column priority integer not null default 0;
alter table runs add column needs text;

-- Who works, on what, as they say themselves every few seconds. A claim names a device that only one may work on at a time.
create table workers (
    id text primary key,
    kind text not null,
    host text not null,
    process_id integer not null,
    device text not null,
    claim text unique,
    labels_json text not null,
    started_at integer not null,
    seen_at integer not null
) without rowid;
