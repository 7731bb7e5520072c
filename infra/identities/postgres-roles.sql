-- One role for each service, with the password from its variable, and the owner of the tables. For psql, as a superuser; may be run again.
\set ON_ERROR_STOP on
set client_min_messages = warning;
\getenv owner OWNER_DATABASE_PASSWORD
\getenv ingestion INGESTION_DATABASE_PASSWORD
\getenv training TRAINING_DATABASE_PASSWORD
\getenv evaluation EVALUATION_DATABASE_PASSWORD
\getenv registry REGISTRY_DATABASE_PASSWORD
\getenv scheduling SCHEDULING_DATABASE_PASSWORD
-- Reads how much work waits, for the autoscaler on Kubernetes; reads all of it, for people. Not everybody wants them.
\set autoscaler ''
\getenv autoscaler AUTOSCALER_DATABASE_PASSWORD
\set reader ''
\getenv reader READER_DATABASE_PASSWORD

select format('create role %I login', name) from (values
    ('dml_owner'), ('dml_ingestion'), ('dml_training'), ('dml_evaluation'), ('dml_registry'), ('dml_scheduling'), ('dml_autoscaler'), ('dml_reader')) as roles (name)
where not exists (select from pg_roles where rolname = name) \gexec

alter role dml_owner password :'owner';
alter role dml_ingestion password :'ingestion';
alter role dml_training password :'training';
alter role dml_evaluation password :'evaluation';
alter role dml_registry password :'registry';
alter role dml_scheduling password :'scheduling';
-- Without a password nobody enters.
select case when password = '' then format('alter role %I nologin', name) else format('alter role %I login password %L', name, password) end
from (values ('dml_autoscaler', :'autoscaler'), ('dml_reader', :'reader')) as optional (name, password) \gexec

select 'create database dml owner dml_owner' where not exists (select from pg_database where datname = 'dml') \gexec
alter database dml owner to dml_owner;
revoke all on database dml from public;
grant connect on database dml to dml_ingestion, dml_training, dml_evaluation, dml_registry, dml_scheduling, dml_autoscaler, dml_reader;

\connect dml
alter schema public owner to dml_owner;
revoke all on schema public from public;
grant usage on schema public to dml_ingestion, dml_training, dml_evaluation, dml_registry, dml_scheduling, dml_autoscaler, dml_reader;
