-- columns_to_show.sql: id and columns of a generation that is being built; those of the live one where nobody declared
-- any. $1 name, $2 generation
SELECT b.id, coalesce(b.columns, l.columns)
FROM {schema}.generations b LEFT JOIN {schema}.generations l ON l.name = b.name AND l.state = 'live'
WHERE b.name = $1 AND b.generation = $2 AND b.state = 'building'
