//! What every command takes.

use crate::StoreUrl;
use clap::Args;

/// The options that every command takes, before or behind its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where the event log is: sqlite:FILE, postgres://USER@HOST/DATABASE or memory: [default: sqlite:NAME.db, named
    /// for the program]
    #[arg(long, global = true, value_name = "URL")]
    pub store: Option<StoreUrl>,

    /// Where the read models are [default: NAME-views.db beside NAME.db; the database of the log; in memory with
    /// memory:]
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

    /// The stores as they were given, secrets aside, to be put behind a command that is advised: ` --store URL`, quoted
    /// for a shell where it needs to be; empty when none was given.
    pub fn stores_again(&self) -> String {
        let given = [("--store", &self.store), ("--read-models", &self.read_models)];
        given
            .iter()
            .filter_map(|(option, url)| Some(format!(" {option} {}", quoted(&url.as_ref()?.to_string()))))
            .collect()
    }
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || ":/._-=+,@".contains(c)) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_repeated_as_a_shell_reads_it() {
        let given = |store: Option<&str>, views: Option<&str>| {
            let url = |url: Option<&str>| url.map(|url| url.to_string().into());
            Global { store: url(store), read_models: url(views), ..Global::default() }.stores_again()
        };
        assert_eq!(given(None, None), "");
        assert_eq!(given(Some("sqlite:a.db"), Some("memory:")), " --store sqlite:a.db --read-models memory:");
        assert_eq!(
            given(Some("sqlite:a.db?synchronous=normal"), None),
            " --store 'sqlite:a.db?synchronous=normal'"
        );
        assert_eq!(given(None, Some("sqlite:it's.db")), r" --read-models 'sqlite:it'\''s.db'");
    }
}
