-- append_rows.sql: the short way behind an event that stands in the log, of whoever may insert: what append_next does,
-- without a function around it. 1: nothing was written. $1 start of the server, $2 head, $3 $4 new streams, $5 streams,
-- $6 versions, $7 event ids, $8 types, $9 places in the commit, $10 sizes of the commit, $11 metadata, $12 payloads,
-- $13 whether other processes are told
WITH last AS MATERIALIZED (
  SELECT l.position, greatest(clock_timestamp(), l.recorded_at) AS at FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock})),
begun AS (
  INSERT INTO {schema}.streams(id, name)
    SELECT n.id, n.name FROM last, unnest($3::bigint[], $4::text[]) n(id, name)),
written AS (
  INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                           metadata, payload)
    SELECT last.position + e.o, e.s, e.v, last.at, e.id, e.t, e.i, e.n, 0, e.m, e.p
    FROM last, unnest($5::bigint[], $6::bigint[], $7::uuid[], $8::integer[], $9::smallint[], $10::smallint[],
                      $11::json[], $12::json[]) WITH ORDINALITY e(s, v, id, t, i, n, m, p, o)
    RETURNING position)
SELECT CASE WHEN count(*) > 0 THEN 0 ELSE 1 END::smallint,
       CASE WHEN $13 AND count(*) > 0
            THEN pg_notify('annals_' || '{schema}.log'::regclass::oid, max(position)::text)::text END
FROM written
