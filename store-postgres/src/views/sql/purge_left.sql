-- purge_left.sql: whether documents of a generation are left
SELECT EXISTS (SELECT FROM {schema}.documents_{id})
