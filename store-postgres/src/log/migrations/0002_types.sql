-- The numbers of event types, in the order asked for; those that are new get one. Nobody takes a number back.
CREATE FUNCTION {schema}.intern(categories text[], names text[], versions integer[])
RETURNS SETOF integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- In one order for all, so that two of these never wait for each other.
  INSERT INTO {schema}.types(category, name, schema_version)
    SELECT DISTINCT x.c, x.n, x.v FROM unnest(categories, names, versions) x(c, n, v)
    WHERE NOT EXISTS (SELECT FROM {schema}.types t
                      WHERE t.category = x.c AND t.name = x.n AND t.schema_version = x.v)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT t.id FROM unnest(categories, names, versions) WITH ORDINALITY x(c, n, v, o)
    JOIN {schema}.types t ON t.category = x.c AND t.name = x.n AND t.schema_version = x.v
    ORDER BY x.o;
END $$;
