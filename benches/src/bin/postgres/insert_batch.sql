-- insert_batch.sql: one event on each of several streams, numbered by the sequence. $1 streams, $2 versions, $3 ids,
-- $4 payloads
INSERT INTO bare.log(stream, version, recorded_at, event_id, type, commit_index, commit_size, format, metadata, payload)
SELECT x.s, x.v, clock_timestamp(), x.id, 1, 0, 1, 0, '{}', x.p::json
FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[]) x(s, v, id, p)
