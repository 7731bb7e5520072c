-- Copies into a dataset's inbox that are under way: until they end, or fall silent, its objects do not settle.
create table inbox_holds (
    id text primary key,
    dataset text not null,
    held_until integer not null
) without rowid;

-- The run itself is written down with the decision and says all that the message says.
alter table training_decisions drop column train_json;
