-- The guard against rows that are typed in asks before it calls a function: that is most of what it cost an append.
CREATE OR REPLACE TRIGGER log_insert BEFORE INSERT ON {schema}.log
  FOR EACH STATEMENT WHEN (current_setting('annals.appending', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION {schema}.refuse_insert();
CREATE OR REPLACE TRIGGER streams_insert BEFORE INSERT ON {schema}.streams
  FOR EACH STATEMENT WHEN (current_setting('annals.appending', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION {schema}.refuse_insert();
