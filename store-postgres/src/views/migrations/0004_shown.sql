-- What people see: a view for each read model, in a schema of their own, so that no name of a read model meets one of
-- ours and a right to read is a right to read all that is shown, and nothing else.
DO $$
BEGIN
  -- Making a schema that is there needs a right of its own, even with IF NOT EXISTS.
  IF to_regnamespace('{shown}') IS NULL THEN
    CREATE SCHEMA {shown};
  END IF;
END $$;

-- Values of documents by type: null where there is none, or one of another type. IMMUTABLE, so that they can be
-- indexed: what they read means the same whatever a session sets.
CREATE FUNCTION {shown}.as_bigint(jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN
    CASE WHEN $1::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND $1::numeric = trunc($1::numeric)
      THEN $1::numeric::bigint END END
$$;

CREATE FUNCTION {shown}.as_numeric(jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN jsonb_typeof($1) = 'number' THEN $1::numeric END
$$;

CREATE FUNCTION {shown}.as_boolean(jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN jsonb_typeof($1) = 'boolean' THEN $1::boolean END
$$;

CREATE FUNCTION {shown}.as_date(text) RETURNS date LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  first_of_month date;
BEGIN
  IF $1 !~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' OR $1 < '0001' THEN RETURN NULL; END IF;
  first_of_month := make_date(left($1, 4)::integer, substr($1, 6, 2)::integer, 1);
  IF right($1, 2)::integer > extract(day FROM first_of_month + interval '1 month - 1 day') THEN RETURN NULL; END IF;
  RETURN first_of_month + right($1, 2)::integer - 1;
END $$;

CREATE FUNCTION {shown}.as_time(text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF $1 ~ '^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$'
     AND {shown}.as_date(left($1, 10)) IS NOT NULL THEN
    RETURN $1::timestamptz;
  END IF;
  RETURN NULL;
END $$;
