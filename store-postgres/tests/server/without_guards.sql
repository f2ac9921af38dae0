-- without_guards.sql: takes back what 0015_guards.sql has made, as far as that one and older ones look for it
ALTER TABLE log DROP CONSTRAINT log_appended, ADD CONSTRAINT log_plausible CHECK (position > 0) NOT VALID;
ALTER TABLE streams DROP CONSTRAINT streams_appended,
  ADD CONSTRAINT streams_name_plausible CHECK (name ~ '-') NOT VALID;
DROP FUNCTION refuse_typed;
CREATE FUNCTION refuse_insert() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'rows of % are added by the append functions only', TG_TABLE_NAME; END $$;
CREATE TRIGGER log_insert BEFORE INSERT ON log FOR EACH STATEMENT
  WHEN (current_setting('annals.appending', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION refuse_insert();
CREATE TRIGGER streams_insert BEFORE INSERT ON streams FOR EACH STATEMENT
  WHEN (current_setting('annals.appending', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION refuse_insert();
