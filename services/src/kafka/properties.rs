//! What a broker reads when it starts.

use super::sasl::Logins;
use crate::free_port;
use std::path::Path;

/// What every broker of ours has.
const TEMPLATE: &str = include_str!("../../kafka/server.properties");

/// A second listener, for those who log in.
#[derive(Debug)]
pub(super) struct SaslListener {
    pub(super) logins: Logins,
    pub(super) port: u16,
}

/// The text for a broker in `directory` that listens on `port`. Of settings with one name the last holds, and those of
/// `more`, each `name=value`, come last.
pub(super) fn properties<'a>(
    directory: &Path,
    data: &Path,
    port: u16,
    sasl: Option<&SaslListener>,
    more: impl Iterator<Item = &'a str>,
) -> anyhow::Result<String> {
    let listen = |host: &str| match sasl {
        Some(SaslListener { port, .. }) => format!(",SASL_SSL://{host}:{port}"),
        None => String::new(),
    };
    let mut text = TEMPLATE
        .replace("@PORT@", &port.to_string())
        .replace("@CONTROLLER_PORT@", &free_port()?.to_string())
        .replace("@MORE_LISTENERS@", &listen("127.0.0.1"))
        .replace("@MORE_ADVERTISED@", &listen("localhost"))
        .replace("@METADATA@", &directory.join("metadata").display().to_string())
        .replace("@DATA@", &data.display().to_string());
    if let Some(SaslListener { logins, .. }) = sasl {
        text.push_str(&logins.settings(directory));
    }
    for setting in more {
        text.push_str(setting);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_filled_in_and_what_is_given_comes_last() {
        let sasl = SaslListener { logins: Logins::new(&[("alice", "alice-secret")]).unwrap(), port: 7 };
        let more = ["auto.create.topics.enable=true"].into_iter();
        let text = properties(Path::new("/d"), Path::new("/d/data"), 6, Some(&sasl), more).unwrap();
        let settings = text.lines().filter(|line| !line.starts_with('#'));
        // What is left is that of the voter.
        assert_eq!(settings.flat_map(|line| line.matches('@')).count(), 1, "{text}");
        assert!(text.contains("PLAINTEXT://127.0.0.1:6,SASL_SSL://localhost:7\n"), "{text}");
        assert!(text.ends_with("\nauto.create.topics.enable=true\n"), "{text}");
    }
}
