-- Functions that act with the owner's rights are for those to whom they are granted.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
