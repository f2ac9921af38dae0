-- layout_there.sql: a row if tables of ours were made in the schema named $1. It reads the catalogue as a table:
-- to_regclass may still remember that there was none, also when somebody else has just made it.
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'layouts'
