-- append_commit.sql: behind last.sql, and first_begun.sql where its stream begins: the short way for a commit of several
-- events to one stream with the same metadata, of whoever may insert: what append_rows.sql does, with less in each row.
-- $3 stream, $4 version before, $5 event ids, $6 types, $7 metadata, $8 payloads
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + e.o, $3, $4 + e.o, last.at, e.id, e.t, e.o - 1, cardinality($5), 0, $7, e.p
  FROM last, unnest($5::uuid[], $6::integer[], $8::json[]) WITH ORDINALITY e(id, t, p, o)
