-- What the gate made of a version, each time it was asked: the rule, every number and where the values of single queries are.
create table gate_decisions (
    id bigint generated always as identity primary key,
    model text collate "C" not null,
    version bigint not null,
    champion bigint,
    outcome text not null check (outcome in ('promote', 'wait', 'refuse')),
    rule_json text not null,
    rule_hash text not null,
    decision_json text not null,
    comparison_json text,
    decided_at bigint not null
);
create index gate_decisions_version on gate_decisions (model, version, id);

-- What people and programs said about a version: approvals, rejections, results of checks.
create table model_verdicts (
    id bigint generated always as identity primary key,
    model text collate "C" not null,
    version bigint not null,
    kind text not null check (kind in ('approval', 'check')),
    name text collate "C" not null,
    passed boolean not null,
    said_by text not null,
    why text not null,
    said_at bigint not null
);
create index model_verdicts_version on model_verdicts (model, version, id);

-- A protected alias is not moved by mistake.
alter table aliases add column protected boolean not null default false;

alter table alias_history add column action text not null default 'promoted';
alter table alias_history add column decided_by text not null default 'gate';
update alias_history set action = 'refused' where not promoted;

-- History is written once.
create function refuse_change() returns trigger language plpgsql as $$ begin raise exception '% is append-only', tg_table_name; end $$;
create trigger alias_history_stays before update or delete or truncate on alias_history for each statement execute function refuse_change();
create trigger gate_decisions_stays before update or delete or truncate on gate_decisions for each statement execute function refuse_change();
create trigger model_verdicts_stays before update or delete or truncate on model_verdicts for each statement execute function refuse_change();
