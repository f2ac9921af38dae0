//! Documents, checkpoints, leases and parked events in one SQLite file.
