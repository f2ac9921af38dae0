-- append_one.sql: the short way for one event on a stream that exists, of whoever may insert: what the function of that
-- name does, without a function around it. No row inserted: nothing was written. $1 start of the server, $2 head,
-- $3 stream, $4 version, $5 event id, $6 type, $7 metadata, $8 payload
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT l.position + 1, $3, $4, greatest(clock_timestamp(), l.recorded_at), $5, $6, 0, 1, 0, $7, $8
  FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock})
