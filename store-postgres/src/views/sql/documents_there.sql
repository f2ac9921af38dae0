-- documents_there.sql: whether a generation still has its table of documents
SELECT to_regclass('{schema}.documents_{id}') IS NOT NULL
