-- schema_there.sql: a row if there is a schema named $1
SELECT 1 FROM pg_namespace WHERE nspname = $1
