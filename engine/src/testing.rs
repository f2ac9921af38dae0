//! What tests of domains and of stores are written with.
