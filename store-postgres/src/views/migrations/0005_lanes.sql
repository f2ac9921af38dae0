-- Lanes: a generation that is divided is written by key in several transactions at once, each with a checkpoint.
CREATE TABLE {schema}.lanes (
  generation bigint NOT NULL,
  lane       integer NOT NULL CHECK (lane >= 0),
  checkpoint bigint NOT NULL,
  PRIMARY KEY (generation, lane)
) WITH (fillfactor = 20);   -- as that of the generations

DROP FUNCTION {schema}.commit_page;

-- As before; with a lane it is made from where that lane stands, and is no sign of life.
-- outcome 5: the generation is divided and no lane was named, or there is no such lane.
CREATE FUNCTION {schema}.commit_page(
  of_name text, of_generation integer, of_epoch bigint, from_position bigint, to_position bigint,
  put_keys text[], put_bodies jsonb[], delete_keys text[],
  settled_keys text[], settled_positions bigint[],
  park_keys text[], park_positions bigint[], park_streams text[], park_versions bigint[], park_errors text[],
  park_attempts bigint[], park_times timestamptz[], of_lane integer,
  OUT outcome smallint, OUT epoch_now bigint, OUT checkpoint_now bigint)
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
  found_id bigint; found_state text;
BEGIN
  IF of_lane IS NULL THEN
    SELECT g.id, g.state, g.epoch, g.checkpoint INTO found_id, found_state, epoch_now, checkpoint_now
      FROM {schema}.generations g WHERE g.name = of_name AND g.generation = of_generation FOR UPDATE;
  ELSE
    -- Lanes do not wait for each other; whoever takes the lease, switches or divides waits for all of them.
    SELECT g.id, g.state, g.epoch INTO found_id, found_state, epoch_now
      FROM {schema}.generations g WHERE g.name = of_name AND g.generation = of_generation FOR SHARE;
    SELECT l.checkpoint INTO checkpoint_now
      FROM {schema}.lanes l WHERE l.generation = found_id AND l.lane = of_lane FOR UPDATE;
  END IF;
  outcome := CASE WHEN found_id IS NULL THEN 1 WHEN found_state = 'retired' THEN 2 WHEN epoch_now <> of_epoch THEN 3
                  WHEN checkpoint_now IS NULL THEN 5
                  WHEN of_lane IS NULL AND EXISTS (SELECT FROM {schema}.lanes l WHERE l.generation = found_id) THEN 5
                  WHEN checkpoint_now <> from_position THEN 4 ELSE 0 END;
  IF outcome > 0 THEN RETURN; END IF;
  IF cardinality(put_keys) > 0 THEN
    EXECUTE format('INSERT INTO {schema}.documents_%s AS d (key, body) SELECT x.k, x.b FROM unnest($1, $2) x(k, b) '
                   'ON CONFLICT (key) DO UPDATE SET body = excluded.body', found_id) USING put_keys, put_bodies;
  END IF;
  IF cardinality(delete_keys) > 0 THEN
    EXECUTE format('DELETE FROM {schema}.documents_%s d USING unnest($1) x(k) WHERE d.key = x.k', found_id)
      USING delete_keys;
  END IF;
  IF cardinality(settled_keys) > 0 THEN
    DELETE FROM {schema}.parked p USING unnest(settled_keys, settled_positions) x(k, at)
      WHERE p.generation = found_id AND p.key = x.k AND p.position = x.at;
    DELETE FROM {schema}.requests r USING unnest(settled_keys) x(k) WHERE r.generation = found_id AND r.key = x.k;
  END IF;
  IF cardinality(park_keys) > 0 THEN
    -- One that is parked already was tried again, because somebody asked for it.
    DELETE FROM {schema}.requests r USING unnest(park_keys, park_positions) x(k, at)
      WHERE r.generation = found_id AND r.key = x.k
        AND EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = found_id AND p.key = x.k AND p.position = x.at);
    INSERT INTO {schema}.parked AS p (generation, key, position, stream, version, error, attempts, parked_at)
      SELECT found_id, x.k, x.at, x.s, x.v, x.e, x.n, x.t
      FROM unnest(park_keys, park_positions, park_streams, park_versions, park_errors, park_attempts, park_times)
        x(k, at, s, v, e, n, t)
      ON CONFLICT (generation, key, position) DO UPDATE SET error = excluded.error, attempts = excluded.attempts;
  END IF;
  IF of_lane IS NOT NULL THEN
    UPDATE {schema}.lanes l SET checkpoint = to_position WHERE l.generation = found_id AND l.lane = of_lane;
    RETURN;
  END IF;
  -- Written pages are a sign of life too.
  UPDATE {schema}.generations g
    SET checkpoint = to_position, lease_until = clock_timestamp() + g.lease_us * interval '1 microsecond'
    WHERE g.id = found_id;
END $$;

REVOKE EXECUTE ON FUNCTION {schema}.commit_page FROM PUBLIC;
