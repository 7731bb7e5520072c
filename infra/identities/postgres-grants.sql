-- What each service may do with the pipeline's tables, once `dml migrate` has made them. For psql, as the owner of the tables; may be run again.
\set ON_ERROR_STOP on
begin;

-- Everybody reads the state, in which there are no secrets; each writes what is its own. Of Quartz's tables another is the owner.
-- dml_reader is for people who look, and for infra/demo --distributed.
select format('grant select on %I to dml_ingestion, dml_training, dml_evaluation, dml_registry, dml_scheduling, dml_reader', tablename)
from pg_tables where schemaname = 'public' and tableowner = current_user \gexec

-- What consumers and workers are made of: see shared/Hosting.
grant insert, update, delete on inbox, outbox, jobs, workers to dml_ingestion, dml_training, dml_evaluation, dml_registry, dml_scheduling;
-- Whoever publishes an event queues it for the webhooks that want it, and forgets old ones as with messages; the registry delivers.
grant insert, delete on webhook_deliveries to dml_ingestion, dml_training, dml_evaluation, dml_registry, dml_scheduling;
grant update on webhook_deliveries to dml_registry;
grant insert, update on webhooks to dml_registry;

grant insert, update, delete on inbox_objects, inbox_holds to dml_ingestion;
grant insert, update on drops, dataset_versions, dataset_builds to dml_ingestion;

grant insert, update on training_decisions, runs to dml_training;

grant update on runs to dml_evaluation, dml_registry;

grant insert, update on model_versions, model_metrics to dml_registry;
grant insert, update, delete on aliases to dml_registry;
grant insert on alias_history, gate_decisions, model_verdicts to dml_registry;

grant insert, update, delete on schedules, schedule_fires, retraining_policies to dml_scheduling;
-- Quartz makes the tables that it needs itself. Granted here, and so after the pipeline's own tables were made by their owner.
grant create on schema public to dml_scheduling;

-- Counts what waits.
grant select (kind, state, not_before) on jobs to dml_autoscaler;

commit;
