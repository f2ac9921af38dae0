-- event_id_taken.sql: ?1 event id
SELECT 1 FROM log WHERE event_id = ?1
