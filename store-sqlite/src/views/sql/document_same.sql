-- Whether a document is still this one, and events are parked under its key or not, as was seen.
-- ?1 generation id, ?2 key, ?3 the document or null, ?4 whether events are parked
SELECT (SELECT body FROM documents WHERE generation = ?1 AND key = ?2) IS ?3
   AND EXISTS (SELECT 1 FROM parked WHERE generation = ?1 AND key = ?2) = ?4
