-- shown_columns.sql: names and types of the columns of the view $1 of read models, in order; nothing when there is none
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace('{shown}') AND c.relname = $1 AND c.relkind = 'v' AND a.attnum > 0
ORDER BY a.attnum
