//! The engine from outside: the stores in memory keep the contracts, and the suites that say so can fail.

mod document_store_controls;
mod event_store_controls;
mod memory_documents;
mod memory_event_store;
mod renewed;
mod testing_given;
mod testing_properties;
