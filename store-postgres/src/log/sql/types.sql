-- types.sql: all event types
SELECT id, category, name, schema_version FROM {schema}.types
