-- shown_columns.sql: names and types of the columns of a table or view, in order, and what is noted on it; nothing when
-- there is none. $1 its schema, $2 its name
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), obj_description(c.oid, 'pg_class')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
