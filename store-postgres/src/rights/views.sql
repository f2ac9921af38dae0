-- views.sql: a role may read the read models. While a generation is being added, this waits, so that none is left out.
LOCK TABLE {schema}.generations IN SHARE ROW EXCLUSIVE MODE;
GRANT USAGE ON SCHEMA {schema}, {shown} TO {role};
GRANT SELECT ON {schema}.layouts, {schema}.generations, {schema}.lanes, {schema}.parked, {schema}.requests TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA {shown} TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {shown} TO {role};
