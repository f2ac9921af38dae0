-- owner.sql: whose the tables of the schema $1 are, quoted; no row where there are none, or they are ours
SELECT c.relowner::regrole::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = 'layouts' AND c.relowner <> current_user::regrole
