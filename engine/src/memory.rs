//! The smallest honest stores: the model for whoever writes one, and what unit tests run on.
