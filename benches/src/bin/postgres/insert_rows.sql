-- insert_rows.sql: rows of one commit, numbered by the sequence. $1 stream, $2 versions, $3 ids, $4 places, $5 metadata,
-- $6 payloads
INSERT INTO bare.log(stream, version, recorded_at, event_id, type, commit_index, commit_size, format, metadata, payload)
SELECT $1, x.v, clock_timestamp(), x.id, 1, x.i, 100, 0, x.m::json, x.p::json
FROM unnest($2::bigint[], $3::uuid[], $4::smallint[], $5::text[], $6::text[]) x(v, id, i, m, p)
