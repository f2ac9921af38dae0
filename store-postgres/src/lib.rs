//! PostgreSQL for annals.
