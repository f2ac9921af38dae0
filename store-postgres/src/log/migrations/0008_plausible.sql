-- What no row may say, whoever writes it. Rows that are there are not looked at again: `check` walks over them.
--
-- Nothing here holds one number against another that the writer remembers: when its head is behind, a stream or a
-- version that it looked up just now is ahead of it, and it is the primary key that has to say so.
ALTER TABLE {schema}.log
  ADD CONSTRAINT log_plausible CHECK (position > 0 AND stream > 0 AND version > 0
    AND commit_index >= 0 AND commit_index < commit_size AND format >= 0) NOT VALID;

-- As readers split it: [tenant/]category-key. One that they cannot split would stop them all for good.
ALTER TABLE {schema}.streams
  ADD CONSTRAINT streams_name_plausible CHECK (name ~ '^([a-z][a-z0-9_]{0,63}/)?[a-z][a-z0-9_]{0,63}-'
    AND octet_length(name) - strpos(name, '-') BETWEEN 1 AND 255) NOT VALID;

ALTER TABLE {schema}.types
  ADD CONSTRAINT types_plausible CHECK (category ~ '^[a-z][a-z0-9_]{0,63}$' AND octet_length(name) BETWEEN 1 AND 255
    AND schema_version > 0) NOT VALID;

-- Refuses what a writer that made up its numbers has just inserted behind `head`. Looks at the rows themselves, not at
-- what was asked for: whatever the arrays of an append function said, this is what readers will find. `begun` are the
-- streams that were added. The limits are those of `Commit::check`, which only an honest writer asks.
--
-- What an event says is not looked at: a type, schema version or payload that no program knows stops whoever decodes it.
--
-- LIMIT 1 keeps each look one look into an index.
CREATE FUNCTION {schema}.check_written(head bigint, begun bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  IF EXISTS (
    SELECT FROM {schema}.log l
    LEFT JOIN LATERAL (SELECT q.commit_index + 1 AS next, q.commit_size AS size FROM {schema}.log q
                       WHERE q.position = l.position - 1 LIMIT 1) before ON true
    LEFT JOIN LATERAL (SELECT q.position FROM {schema}.log q
                       WHERE q.stream = l.stream AND q.version = l.version - 1 LIMIT 1) older ON true
    LEFT JOIN LATERAL (SELECT q.name FROM {schema}.streams q WHERE q.id = l.stream LIMIT 1) s ON true
    LEFT JOIN LATERAL (SELECT q.category FROM {schema}.types q WHERE q.id = l.type LIMIT 1) t ON true
    WHERE l.position > head AND (
      (l.position = 1 OR before.next IS NOT NULL)
      AND CASE WHEN l.commit_index > 0 THEN l.commit_index = before.next AND l.commit_size = before.size
               ELSE l.position = head + 1 OR before.next = before.size END
      AND CASE WHEN l.version > 1 THEN older.position < l.position ELSE l.stream = l.position END
      AND t.category = split_part(split_part(s.name, '-', 1), '/', -1)) IS NOT TRUE)
    OR (SELECT q.commit_index + 1 < q.commit_size FROM {schema}.log q ORDER BY q.position DESC LIMIT 1)
    OR EXISTS (SELECT FROM unnest(begun) n(id)
               LEFT JOIN LATERAL (SELECT q.stream FROM {schema}.log q WHERE q.position = n.id LIMIT 1) l ON true
               WHERE (n.id > head AND l.stream = n.id) IS NOT TRUE)
  THEN
    RAISE EXCEPTION 'positions and versions follow each other, commits are whole, and a stream and its types are there'
      USING ERRCODE = 'check_violation';
  END IF;
  -- OFFSET 0: a payload is unpacked once, however often its length is asked for.
  IF EXISTS (
    SELECT FROM {schema}.log l
    CROSS JOIN LATERAL (SELECT octet_length(l.payload::text) AS payload, octet_length(l.metadata::text) AS metadata
                        OFFSET 0) bytes
    WHERE l.position > head
    GROUP BY l.position - l.commit_index
    HAVING max(l.commit_size) > 1000 OR max(bytes.payload) > 1048576 OR max(bytes.metadata) > 65536
      OR sum(bytes.payload + bytes.metadata) > 4194304)
  THEN
    RAISE EXCEPTION 'a payload, metadata, or a commit in events or bytes is larger than the log allows'
      USING ERRCODE = 'check_violation';
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION {schema}.check_written FROM PUBLIC;
