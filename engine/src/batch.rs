//! What every store with one writer shares: taking in appends, and answering each on its own.
