-- All documents, by the bytes of their keys. ?1 generation id
SELECT key, body FROM documents WHERE generation = ?1 ORDER BY key
