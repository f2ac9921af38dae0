-- shown_of.sql: the views on which a note stands. $1 the note
SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = to_regnamespace('{shown}') AND c.relkind = 'v' AND obj_description(c.oid, 'pg_class') = $1
