-- whose.sql: whether there is a role $1, who owns the table $3 in the schema $2, and whether this user may act as that one
SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $1), pg_get_userbyid(c.relowner)::text,
       pg_has_role(c.relowner, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $3
