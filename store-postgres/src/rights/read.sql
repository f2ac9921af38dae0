-- read.sql: a role may read the log
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {schema}.layouts, {schema}.log, {schema}.streams, {schema}.types, {schema}.snapshots TO {role};
