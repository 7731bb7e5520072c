-- Copies into a dataset's inbox that are under way: until they end, or fall silent, its objects do not settle.
create table inbox_holds (
    id text collate "C" primary key,
    dataset text collate "C" not null,
    held_until bigint not null
);

-- The run itself is written down with the decision and says all that the message says.
alter table training_decisions drop column train_json;
