-- Every minute it is looked for runs and drops that are owed something, among all that ever were.
create index runs_state on runs (state, created_at);
create index drops_state on drops (state, created_at);
