-- tables_of.sql: the tables and views that its author made in a generation
SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('{tables}') AND relkind IN ('r', 'p', 'v', 'm')
ORDER BY relname
