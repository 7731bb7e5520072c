-- What the gate made of a version, each time it was asked: the rule, every number and where the values of single queries are.
create table gate_decisions (
    id integer primary key autoincrement,
    model text not null,
    version integer not null,
    champion integer,
    outcome text not null check (outcome in ('promote', 'wait', 'refuse')),
    rule_json text not null,
    rule_hash text not null,
    decision_json text not null,
    comparison_json text,
    decided_at integer not null
);
create index gate_decisions_version on gate_decisions (model, version, id);

-- What people and programs said about a version: approvals, rejections, results of checks.
create table model_verdicts (
    id integer primary key autoincrement,
    model text not null,
    version integer not null,
    kind text not null check (kind in ('approval', 'check')),
    name text not null,
    passed integer not null,
    said_by text not null,
    why text not null,
    said_at integer not null
);
create index model_verdicts_version on model_verdicts (model, version, id);

-- A protected alias is not moved by mistake.
alter table aliases add column protected integer not null default 0;

alter table alias_history add column action text not null default 'promoted';
alter table alias_history add column decided_by text not null default 'gate';
update alias_history set action = 'refused' where not promoted;

-- History is written once.
create trigger alias_history_stays before update on alias_history begin select raise(abort, 'alias_history is append-only'); end;
create trigger alias_history_keeps before delete on alias_history begin select raise(abort, 'alias_history is append-only'); end;
create trigger gate_decisions_stays before update on gate_decisions begin select raise(abort, 'gate_decisions is append-only'); end;
create trigger gate_decisions_keeps before delete on gate_decisions begin select raise(abort, 'gate_decisions is append-only'); end;
create trigger model_verdicts_stays before update on model_verdicts begin select raise(abort, 'model_verdicts is append-only'); end;
create trigger model_verdicts_keeps before delete on model_verdicts begin select raise(abort, 'model_verdicts is append-only'); end;
