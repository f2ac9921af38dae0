-- rows_begun.sql: behind last.sql: streams that begin with append_rows.sql. $11 $12 the new streams
, begun AS (
  INSERT INTO {schema}.streams(id, name)
    SELECT n.id, n.name FROM last, unnest($11::bigint[], $12::text[]) n(id, name))
