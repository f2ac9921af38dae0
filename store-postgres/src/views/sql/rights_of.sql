-- rights_of.sql: what its owner or others gave on a view, on all of it or on a column: what, on which column, to whom (as
-- GRANT takes it), and whether they may give it on. $1 its schema, $2 its name
WITH found AS (
  SELECT c.oid, c.relowner, c.relacl FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
  WHERE s.nspname = $1 AND c.relname = $2),
given AS (
  SELECT f.relowner, NULL::text AS on_column, a.* FROM found f, aclexplode(f.relacl) a
  UNION ALL
  SELECT f.relowner, t.attname::text, a.*
  FROM found f JOIN pg_attribute t ON t.attrelid = f.oid AND NOT t.attisdropped, aclexplode(t.attacl) a)
SELECT privilege_type, on_column, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
       is_grantable
FROM given WHERE grantee <> relowner
