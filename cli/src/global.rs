//! What every command takes.

use crate::StoreUrl;
use clap::Args;

/// The options that every command takes, before or behind its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where the event log is: sqlite:FILE or memory: [default: sqlite:NAME.db, named for the program]
    #[arg(long, global = true, value_name = "URL")]
    pub store: Option<StoreUrl>,

    /// Where the read models are [default: NAME-views.db beside NAME.db; in memory with memory:]
    #[arg(long, global = true, value_name = "URL")]
    pub read_models: Option<StoreUrl>,

    /// Print JSON: one document, or one object per line for lists
    #[arg(long, global = true)]
    pub json: bool,

    /// No progress and no remarks on stderr
    #[arg(long, global = true)]
    pub quiet: bool,
}

impl Global {
    /// The URL of the log: the one given, or that of the file named for the program.
    pub fn store_url(&self, program: &str) -> StoreUrl {
        self.store.clone().unwrap_or_else(|| format!("sqlite:{program}.db").into())
    }
}
