-- settings.sql: what promises rest on
SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
       current_setting('server_encoding'), pg_is_in_recovery(), current_setting('fsync'),
       current_setting('synchronous_commit'), current_setting('full_page_writes'), clock_timestamp(),
       current_setting('transaction_isolation'),
       (SELECT s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl),
       current_setting('statement_timeout'), current_setting('lock_timeout'),
       current_setting('idle_in_transaction_session_timeout')
