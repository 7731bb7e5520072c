-- The same tables as in SQLite. Names order by their bytes (collate "C"), as there, whatever the locale of the database.
-- Times are Unix milliseconds (UTC). Columns that end in _json hold the same JSON that the store and the messages use.

-- Delivered messages, one row per message and consumer: a second delivery finds its row and does nothing.
create table inbox (
    message_id text not null,
    consumer text not null,
    received_at bigint not null,
    primary key (message_id, consumer)
);

-- Messages to send, written in the transaction of the effect that they report.
create table outbox (
    id bigint generated always as identity primary key,
    message_id text not null unique,
    type text not null,
    body_json text not null,
    created_at bigint not null,
    sent_at bigint
);
create index outbox_unsent on outbox (id) where sent_at is null;

-- Work that takes longer than a message may: leased by a worker, kept alive by its heartbeat, taken over when that stops.
create table jobs (
    id text collate "C" primary key,
    kind text collate "C" not null,
    subject text collate "C" not null,
    state text not null check (state in ('queued', 'leased', 'done', 'failed', 'cancelled')),
    priority bigint not null default 0,
    not_before bigint not null default 0,
    failures bigint not null default 0,
    leases bigint not null default 0,
    leased_by text,
    lease_until bigint,
    cancel_requested bigint not null default 0,
    error text,
    created_at bigint not null,
    updated_at bigint not null
);
create index jobs_waiting on jobs (kind, state, not_before);
create index jobs_subject on jobs (subject);

-- Every object ever seen in the inbox; drop_id is null until its drop settles.
create table inbox_objects (
    key text collate "C" not null,
    etag text collate "C" not null,
    dataset text collate "C" not null,
    bytes bigint not null,
    seen_at bigint not null,
    drop_id text collate "C",
    primary key (key, etag)
);
create index inbox_objects_pending on inbox_objects (dataset, seen_at) where drop_id is null;
create index inbox_objects_drop on inbox_objects (drop_id);

-- waiting: too little to build from yet, it is built together with the next drop and is merged then.
create table drops (
    id text collate "C" primary key,
    dataset text collate "C" not null,
    state text not null check (state in ('settled', 'ready', 'unchanged', 'waiting', 'merged', 'rejected')),
    objects bigint not null,
    bytes bigint not null,
    version bigint,
    reason text,
    progress_json text,
    outcome_json text,
    created_at bigint not null,
    finished_at bigint
);
create index drops_dataset on drops (dataset, created_at);

create table dataset_versions (
    dataset text collate "C" not null,
    version bigint not null,
    drop_id text collate "C" not null unique,
    manifest_json text not null,
    manifest_ref_json text not null,
    images bigint not null,
    classes bigint not null,
    created_at bigint not null,
    primary key (dataset, version)
);

-- Whether a dataset version was trained on by itself, and why (not).
create table training_decisions (
    dataset text collate "C" not null,
    version bigint not null,
    run_id text,
    train_json text,
    reason text not null,
    decided_at bigint not null,
    primary key (dataset, version)
);

create table runs (
    id text collate "C" primary key,
    dataset text collate "C" not null,
    dataset_version bigint not null,
    recipe_json text not null,
    recipe_hash text not null,
    requested_by text not null,
    reason text not null,
    state text not null check (state in ('queued', 'running', 'trained', 'evaluated', 'registered', 'failed', 'cancelled')),
    progress_json text,
    trained_json text,
    evaluated_json text,
    error text,
    created_at bigint not null,
    started_at bigint,
    finished_at bigint
);
create index runs_dataset on runs (dataset, created_at);

create table model_versions (
    model text collate "C" not null,
    version bigint not null,
    run_id text not null unique,
    state text not null check (state in ('pending', 'ready')),
    dataset text collate "C" not null,
    dataset_version bigint not null,
    model_json text,
    created_at bigint not null,
    primary key (model, version)
);

create table model_metrics (
    model text collate "C" not null,
    version bigint not null,
    name text collate "C" not null,
    value double precision not null,
    primary key (model, version, name)
);
create index model_metrics_by_value on model_metrics (name, value);

create table aliases (
    model text collate "C" not null,
    alias text collate "C" not null,
    version bigint not null,
    primary key (model, alias)
);

-- Append-only: which version an alias was moved to, or refused to, and why.
create table alias_history (
    id bigint generated always as identity primary key,
    model text collate "C" not null,
    alias text collate "C" not null,
    version bigint not null,
    previous_version bigint,
    promoted boolean not null,
    reason text not null,
    decided_at bigint not null
);
create index alias_history_model on alias_history (model, alias, id);
