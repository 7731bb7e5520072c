-- Which job builds the next version of a dataset: one at a time, also where several processes prepare drops.
create table dataset_builds (
    dataset text primary key,
    job_id text not null
) without rowid;
