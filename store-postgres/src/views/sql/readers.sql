-- readers.sql: to whom the right to read the generations was given, as GRANT takes it
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.oid = '{schema}.generations'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
