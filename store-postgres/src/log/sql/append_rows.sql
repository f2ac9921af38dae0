-- append_rows.sql: the short way for events on streams that exist, of whoever may insert: what append_next does, without a
-- function around it. No row inserted: nothing was written. $1 start of the server, $2 head, $3 streams, $4 versions,
-- $5 event ids, $6 types, $7 places in the commit, $8 sizes of the commit, $9 metadata, $10 payloads
WITH last AS MATERIALIZED (
  SELECT l.position, greatest(clock_timestamp(), l.recorded_at) AS at FROM {schema}.log l
  WHERE l.position = $2 AND pg_postmaster_start_time() = $1 AND pg_try_advisory_xact_lock({lock}))
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + e.o, e.s, e.v, last.at, e.id, e.t, e.i, e.n, 0, e.m, e.p
  FROM last, unnest($3::bigint[], $4::bigint[], $5::uuid[], $6::integer[], $7::smallint[], $8::smallint[],
                    $9::json[], $10::json[]) WITH ORDINALITY e(s, v, id, t, i, n, m, p, o)
