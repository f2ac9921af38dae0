-- A page of documents from the first one on, by the bytes of their keys. ?1 generation id, ?2 limit
SELECT key, body FROM documents WHERE generation = ?1 ORDER BY key LIMIT ?2
