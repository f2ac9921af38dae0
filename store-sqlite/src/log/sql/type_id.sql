-- type_id.sql: ?1 category, ?2 name, ?3 schema version
SELECT id FROM types WHERE category = ?1 AND name = ?2 AND schema_version = ?3
