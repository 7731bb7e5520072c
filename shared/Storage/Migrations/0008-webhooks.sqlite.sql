-- Addresses that are told of events. The secret that signs is not here, only where it is. A removed one stays, for its deliveries.
create table webhooks (
    id text primary key,
    url text not null,
    events text not null,
    subject text,
    secret_ref text not null,
    created_by text not null,
    created_at integer not null,
    removed_at integer
);

-- Events on their way: written with the event, tried again with growing pauses.
create table webhook_deliveries (
    id text primary key,
    webhook_id text not null,
    event text not null,
    event_key text not null,
    body_json text not null,
    state text not null check (state in ('queued', 'delivered', 'failed')),
    attempts integer not null,
    not_before integer not null,
    claimed_until integer not null default 0,
    last_status integer,
    last_error text,
    created_at integer not null,
    delivered_at integer
);
create unique index webhook_deliveries_once on webhook_deliveries (webhook_id, event_key);
create index webhook_deliveries_due on webhook_deliveries (not_before) where state = 'queued';
