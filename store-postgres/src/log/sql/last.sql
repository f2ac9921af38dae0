-- last.sql: begins the statements below: the event behind which they write, and the time of what they write. No row, and
-- nothing is written: the log ends elsewhere, the server was started anew, or somebody else is appending. $1 start of the
-- server, $2 head
WITH last AS MATERIALIZED (
  SELECT l.position, greatest(clock_timestamp(), l.recorded_at) AS at FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock}))
