-- append.sql: a role may append by the functions, read, and keep snapshots
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {schema}.layouts, {schema}.log, {schema}.streams, {schema}.types, {schema}.snapshots TO {role};
GRANT EXECUTE ON FUNCTION {schema}.intern, {schema}.append_one, {schema}.append_next, {schema}.append_in_turn,
  {schema}.append_behind, {schema}.append_checked TO {role};
GRANT INSERT, UPDATE, DELETE ON {schema}.snapshots TO {role};
