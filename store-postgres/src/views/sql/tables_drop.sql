-- tables_drop.sql: all tables that its author made in a generation
DROP SCHEMA IF EXISTS {tables} CASCADE
