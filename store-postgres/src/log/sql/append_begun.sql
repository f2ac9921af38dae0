-- append_begun.sql: the same where streams begin. $11 $12 the new streams
WITH last AS MATERIALIZED (
  SELECT l.position, greatest(clock_timestamp(), l.recorded_at) AS at FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock})),
begun AS (
  INSERT INTO {schema}.streams(id, name)
    SELECT n.id, n.name FROM last, unnest($11::bigint[], $12::text[]) n(id, name))
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + e.o, e.s, e.v, last.at, e.id, e.t, e.i, e.n, 0, e.m, e.p
  FROM last, unnest($3::bigint[], $4::bigint[], $5::uuid[], $6::integer[], $7::smallint[], $8::smallint[],
                    $9::json[], $10::json[]) WITH ORDINALITY e(s, v, id, t, i, n, m, p, o)
