-- append_first.sql: the short way for one event with which a stream begins, of whoever may insert. No row: nothing was
-- written. $1 to $9 as for append_one.sql, $10 the name of the stream
WITH written AS (
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    SELECT l.position + 1, $3, $4, greatest(clock_timestamp(), l.recorded_at), $5, $6, 0, 1, 0, $7, $8
    FROM {schema}.log l
    WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock})
    RETURNING position)
INSERT INTO {schema}.streams(id, name) SELECT position, $10 FROM written
  RETURNING 0::smallint,
            CASE WHEN $9 THEN pg_notify('annals_' || '{schema}.log'::regclass::oid, id::text)::text END
