-- Times are Unix milliseconds (UTC). Columns that end in _json hold the same JSON that the store and the messages use.

-- Delivered messages, one row per message and consumer: a second delivery finds its row and does nothing.
create table inbox (
    message_id text not null,
    consumer text not null,
    received_at integer not null,
    primary key (message_id, consumer)
) without rowid;

-- Messages to send, written in the transaction of the effect that they report.
create table outbox (
    id integer primary key autoincrement,
    message_id text not null unique,
    type text not null,
    body_json text not null,
    created_at integer not null,
    sent_at integer
);
create index outbox_unsent on outbox (id) where sent_at is null;

-- Work that takes longer than a message may: leased by a worker, kept alive by its heartbeat, taken over when that stops.
create table jobs (
    id text primary key,
    kind text not null,
    subject text not null,
    state text not null check (state in ('queued', 'leased', 'done', 'failed', 'cancelled')),
    priority integer not null default 0,
    not_before integer not null default 0,
    failures integer not null default 0,
    leases integer not null default 0,
    leased_by text,
    lease_until integer,
    cancel_requested integer not null default 0,
    error text,
    created_at integer not null,
    updated_at integer not null
);
create index jobs_waiting on jobs (kind, state, not_before);
create index jobs_subject on jobs (subject);

-- Every object ever seen in the inbox; drop_id is null until its drop settles.
create table inbox_objects (
    key text not null,
    etag text not null,
    dataset text not null,
    bytes integer not null,
    seen_at integer not null,
    drop_id text,
    primary key (key, etag)
) without rowid;
create index inbox_objects_pending on inbox_objects (dataset, seen_at) where drop_id is null;
create index inbox_objects_drop on inbox_objects (drop_id);

-- waiting: too little to build from yet, it is built together with the next drop and is merged then.
create table drops (
    id text primary key,
    dataset text not null,
    state text not null check (state in ('settled', 'ready', 'unchanged', 'waiting', 'merged', 'rejected')),
    objects integer not null,
    bytes integer not null,
    version integer,
    reason text,
    progress_json text,
    outcome_json text,
    created_at integer not null,
    finished_at integer
);
create index drops_dataset on drops (dataset, created_at);

create table dataset_versions (
    dataset text not null,
    version integer not null,
    drop_id text not null unique,
    manifest_json text not null,
    manifest_ref_json text not null,
    images integer not null,
    classes integer not null,
    created_at integer not null,
    primary key (dataset, version)
);

-- Whether a dataset version was trained on by itself, and why (not).
create table training_decisions (
    dataset text not null,
    version integer not null,
    run_id text,
    train_json text,
    reason text not null,
    decided_at integer not null,
    primary key (dataset, version)
);

create table runs (
    id text primary key,
    dataset text not null,
    dataset_version integer not null,
    recipe_json text not null,
    recipe_hash text not null,
    requested_by text not null,
    reason text not null,
    state text not null check (state in ('queued', 'running', 'trained', 'evaluated', 'registered', 'failed', 'cancelled')),
    progress_json text,
    trained_json text,
    evaluated_json text,
    error text,
    created_at integer not null,
    started_at integer,
    finished_at integer
);
create index runs_dataset on runs (dataset, created_at);

create table model_versions (
    model text not null,
    version integer not null,
    run_id text not null unique,
    state text not null check (state in ('pending', 'ready')),
    dataset text not null,
    dataset_version integer not null,
    model_json text,
    created_at integer not null,
    primary key (model, version)
);

create table model_metrics (
    model text not null,
    version integer not null,
    name text not null,
    value real not null,
    primary key (model, version, name)
) without rowid;
create index model_metrics_by_value on model_metrics (name, value);

create table aliases (
    model text not null,
    alias text not null,
    version integer not null,
    primary key (model, alias)
) without rowid;

-- Append-only: which version an alias was moved to, or refused to, and why.
create table alias_history (
    id integer primary key autoincrement,
    model text not null,
    alias text not null,
    version integer not null,
    previous_version integer,
    promoted integer not null,
    reason text not null,
    decided_at integer not null
);
create index alias_history_model on alias_history (model, alias, id);
