-- append_rows.sql: behind last.sql, and rows_begun.sql where streams begin: the short way for several events, of whoever
-- may insert: what append_next does, without a function around it. No row inserted: nothing was written. $3 streams,
-- $4 versions, $5 event ids, $6 types, $7 places in the commit, $8 sizes of the commit, $9 metadata, $10 payloads
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + e.o, e.s, e.v, last.at, e.id, e.t, e.i, e.n, 0, e.m, e.p
  FROM last, unnest($3::bigint[], $4::bigint[], $5::uuid[], $6::integer[], $7::smallint[], $8::smallint[],
                    $9::json[], $10::json[]) WITH ORDINALITY e(s, v, id, t, i, n, m, p, o)
