-- documents_tables.sql: the names of the tables of documents
SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace('{schema}') AND relkind = 'r' AND relname ~ '^documents_[0-9]+$'
