-- insert_type.sql: ?1 category, ?2 name, ?3 schema version
INSERT INTO types(category, name, schema_version) VALUES (?1, ?2, ?3)
