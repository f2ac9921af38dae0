-- Parts: several subscribers write into one generation at once, each under its own lease and from its own checkpoint.
-- Of the generation that is written into only rows of documents are locked, in the order of their keys, existing ones
-- before new ones, and deleted last: so no two parts wait for each other.
-- outcome 0 to 4 as commit_page, of the part; of what is written into: 11 there is none, 12 retired, 14 a log fills it,
-- 15 it is divided; 16 a document is another than was seen, and which.
CREATE FUNCTION {schema}.commit_part(
  of_name text, of_generation integer, of_epoch bigint, from_position bigint, to_position bigint,
  into_name text, into_generation integer, seen_keys text[], seen_bodies jsonb[], seen_parked boolean[],
  add_keys text[], add_bodies jsonb[], put_keys text[], put_bodies jsonb[], delete_keys text[],
  settled_keys text[], settled_positions bigint[],
  park_keys text[], park_positions bigint[], park_streams text[], park_versions bigint[], park_errors text[],
  park_attempts bigint[], park_times timestamptz[],
  OUT outcome smallint, OUT epoch_now bigint, OUT checkpoint_now bigint, OUT raced_key text)
LANGUAGE plpgsql VOLATILE
-- Plans that were made while the tables were empty would scan them later.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
  part_id bigint; part_state text; into_id bigint; into_state text; into_at bigint; added bigint;
BEGIN
  SELECT g.id, g.state, g.epoch, g.checkpoint INTO part_id, part_state, epoch_now, checkpoint_now
    FROM {schema}.generations g WHERE g.name = of_name AND g.generation = of_generation FOR UPDATE;
  outcome := CASE WHEN part_id IS NULL THEN 1 WHEN part_state = 'retired' THEN 2 WHEN epoch_now <> of_epoch THEN 3
                  WHEN checkpoint_now <> from_position THEN 4 ELSE 0 END;
  IF outcome > 0 THEN RETURN; END IF;
  IF cardinality(park_keys) + cardinality(settled_keys) > 0 THEN
    -- Under a key without a document there is no row to lock: whoever parks or settles waits for all others.
    SELECT g.id, g.state, g.checkpoint INTO into_id, into_state, into_at
      FROM {schema}.generations g WHERE g.name = into_name AND g.generation = into_generation FOR UPDATE;
  ELSE
    SELECT g.id, g.state, g.checkpoint INTO into_id, into_state, into_at
      FROM {schema}.generations g WHERE g.name = into_name AND g.generation = into_generation FOR SHARE;
  END IF;
  outcome := CASE WHEN into_id IS NULL THEN 11 WHEN into_state = 'retired' THEN 12
                  WHEN EXISTS (SELECT FROM {schema}.lanes l WHERE l.generation = into_id) THEN 15
                  WHEN into_at <> 0 THEN 14 ELSE 0 END;
  IF outcome > 0 THEN checkpoint_now := into_at; RETURN; END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM unnest($1) x(k) JOIN {schema}.documents_%s d ON d.key = x.k '
                 'ORDER BY d.key FOR UPDATE OF d) locked', into_id) INTO into_at USING seen_keys;
  -- A statement of its own: it sees what those have written whom the locks waited for.
  EXECUTE format('SELECT x.k FROM unnest($1, $2, $3) x(k, b, p) LEFT JOIN {schema}.documents_%1$s d ON d.key = x.k '
                 'WHERE d.body IS DISTINCT FROM x.b OR x.p <> EXISTS '
                 '(SELECT FROM {schema}.parked p WHERE p.generation = %1$s AND p.key = x.k) LIMIT 1', into_id)
    INTO raced_key USING seen_keys, seen_bodies, seen_parked;
  IF raced_key IS NOT NULL THEN outcome := 16; RETURN; END IF;
  IF cardinality(add_keys) > 0 THEN
    BEGIN
      -- What was seen to be absent: another part may have added it, and not have committed when it was looked for.
      EXECUTE format('INSERT INTO {schema}.documents_%s (key, body) SELECT x.k, x.b FROM unnest($1, $2) x(k, b) '
                     'ON CONFLICT (key) DO NOTHING', into_id) USING add_keys, add_bodies;
      GET DIAGNOSTICS added = ROW_COUNT;
      IF added < cardinality(add_keys) THEN
        RAISE EXCEPTION USING ERRCODE = 'AN016';
      END IF;
    EXCEPTION WHEN SQLSTATE 'AN016' THEN
      outcome := 16;
      EXECUTE format('SELECT x.k FROM unnest($1) x(k) JOIN {schema}.documents_%s d ON d.key = x.k LIMIT 1', into_id)
        INTO raced_key USING add_keys;
      RETURN;
    END;
  END IF;
  IF cardinality(put_keys) > 0 THEN
    EXECUTE format('UPDATE {schema}.documents_%s d SET body = x.b FROM unnest($1, $2) x(k, b) WHERE d.key = x.k', into_id)
      USING put_keys, put_bodies;
  END IF;
  IF cardinality(delete_keys) > 0 THEN
    EXECUTE format('DELETE FROM {schema}.documents_%s d USING unnest($1) x(k) WHERE d.key = x.k', into_id)
      USING delete_keys;
  END IF;
  IF cardinality(settled_keys) > 0 THEN
    DELETE FROM {schema}.parked p USING unnest(settled_keys, settled_positions) x(k, at)
      WHERE p.generation = into_id AND p.key = x.k AND p.position = x.at;
    DELETE FROM {schema}.requests r USING unnest(settled_keys) x(k) WHERE r.generation = into_id AND r.key = x.k;
  END IF;
  IF cardinality(park_keys) > 0 THEN
    -- One that is parked already was tried again, because somebody asked for it.
    DELETE FROM {schema}.requests r USING unnest(park_keys, park_positions) x(k, at)
      WHERE r.generation = into_id AND r.key = x.k
        AND EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = into_id AND p.key = x.k AND p.position = x.at);
    INSERT INTO {schema}.parked AS p (generation, key, position, stream, version, error, attempts, parked_at)
      SELECT into_id, x.k, x.at, x.s, x.v, x.e, x.n, x.t
      FROM unnest(park_keys, park_positions, park_streams, park_versions, park_errors, park_attempts, park_times)
        x(k, at, s, v, e, n, t)
      ON CONFLICT (generation, key, position) DO UPDATE SET error = excluded.error, attempts = excluded.attempts;
  END IF;
  -- Written pages are a sign of life too.
  UPDATE {schema}.generations g
    SET checkpoint = to_position, lease_until = clock_timestamp() + g.lease_us * interval '1 microsecond'
    WHERE g.id = part_id;
END $$;

REVOKE EXECUTE ON FUNCTION {schema}.commit_part FROM PUBLIC;
