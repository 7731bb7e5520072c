-- Since when a full disk or a store that is away keeps a job from being done; null when nothing does.
alter table jobs add column held_up_since bigint;
