-- append_first.sql: behind last.sql and first_begun.sql: what append_one.sql does, for one event with which a stream
-- begins. $3 to $8 as there
INSERT INTO {schema}.log(position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format,
                         metadata, payload)
  SELECT last.position + 1, $3, $4, last.at, $5, $6, 0, 1, 0, $7, $8 FROM last
