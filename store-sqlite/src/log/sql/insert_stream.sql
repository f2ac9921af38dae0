-- insert_stream.sql: ?1 position of its first event, ?2 name
INSERT OR ROLLBACK INTO streams(id, name) VALUES (?1, ?2)
