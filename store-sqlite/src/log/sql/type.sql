-- type.sql: ?1 id
SELECT category, name, schema_version FROM types WHERE id = ?1
