-- Addresses that are told of events. The secret that signs is not here, only where it is. A removed one stays, for its deliveries.
create table webhooks (
    id text collate "C" primary key,
    url text not null,
    events text not null,
    subject text collate "C",
    secret_ref text not null,
    created_by text not null,
    created_at bigint not null,
    removed_at bigint
);

-- Events on their way: written with the event, tried again with growing pauses.
create table webhook_deliveries (
    id text collate "C" primary key,
    webhook_id text collate "C" not null,
    event text not null,
    event_key text collate "C" not null,
    body_json text not null,
    state text not null check (state in ('queued', 'delivered', 'failed')),
    attempts bigint not null,
    not_before bigint not null,
    claimed_until bigint not null default 0,
    last_status bigint,
    last_error text,
    created_at bigint not null,
    delivered_at bigint
);
create unique index webhook_deliveries_once on webhook_deliveries (webhook_id, event_key);
create index webhook_deliveries_due on webhook_deliveries (not_before) where state = 'queued';
