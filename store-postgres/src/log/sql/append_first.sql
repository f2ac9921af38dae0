-- append_first.sql: the same for one event with which a stream begins. $9 the name of the stream
WITH last AS MATERIALIZED (
  SELECT l.position, greatest(clock_timestamp(), l.recorded_at) AS at FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock})),
begun AS (INSERT INTO {schema}.streams(id, name) SELECT last.position + 1, $9 FROM last)
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + 1, $3, $4, last.at, $5, $6, 0, 1, 0, $7, $8 FROM last
