-- layout_table.sql: how many migrations each kind of tables has seen
CREATE TABLE IF NOT EXISTS {schema}.layouts(what text PRIMARY KEY, version integer NOT NULL)
