//! A listener with TLS and passwords, for tests of how a client proves who it is.

use anyhow::{Context, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::{fs, os::unix::fs::OpenOptionsExt, path::Path};

/// The certificate of whoever signed the broker's, for clients to trust.
pub(super) const AUTHORITY_FILE: &str = "authority.pem";

/// The broker's key and certificate.
const KEYSTORE_FILE: &str = "keystore.pem";

/// In a file, so that no password is seen in a list of processes.
const FORMAT_FILE: &str = "format.args";

/// Settings of a broker where everybody needs a [right](super::KafkaTool::allow) to what he does, but for whoever comes
/// without logging in, as the broker itself.
pub const RIGHTS_CHECKED: [&str; 2] = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
];

/// Who may log in to a broker, each with a password: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. OAUTHBEARER is offered to
/// everybody: it takes any unsecured token (`alg: none`) that is not expired. Passwords are never shown.
#[derive(Clone, Default)]
pub struct Logins(Vec<(String, String)>);

impl Logins {
    /// Users and their passwords: letters, digits, hyphens, and in users `$`, since both go into a text of Kafka's
    /// without quoting.
    ///
    /// # Errors
    /// When there are other signs in one.
    pub fn new(users: &[(&str, &str)]) -> anyhow::Result<Self> {
        let plain =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        for (user, password) in users {
            ensure!(
                plain(&user.replace('$', "")) && plain(password),
                "{user:?} or the password is not of letters, digits and hyphens"
            );
        }
        Ok(Self(users.iter().map(|(user, password)| ((*user).into(), (*password).into())).collect()))
    }

    /// Writes an authority, and a certificate of its for `localhost` and 127.0.0.1, into `directory`.
    pub(super) fn write_certificates(directory: &Path) -> anyhow::Result<()> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let certificate = params.signed_by(&key, &issuer)?.pem();
        write(&directory.join(AUTHORITY_FILE), &authority)?;
        write(&directory.join(KEYSTORE_FILE), &format!("{}{certificate}", key.serialize_pem()))
    }

    /// The arguments of the program that formats a data directory which make SCRAM users; in a file, named as it wants
    /// it. There is no other way to have them before the broker starts.
    pub(super) fn format_arguments(&self, directory: &Path) -> anyhow::Result<Option<String>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut lines = String::new();
        for (user, password) in &self.0 {
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                lines.push_str(&format!("--add-scram\n{mechanism}=[name={user},password={password}]\n"));
            }
        }
        let path = directory.join(FORMAT_FILE);
        write(&path, &lines)?;
        Ok(Some(format!("@{}", path.display())))
    }

    /// The settings of the listener, whose files lie in `directory`.
    pub(super) fn settings(&self, directory: &Path) -> String {
        let keystore = directory.join(KEYSTORE_FILE);
        let users: String =
            self.0.iter().map(|(user, password)| format!(" user_{user}=\"{password}\"")).collect();
        let module = "org.apache.kafka.common.security";
        format!(
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n\
             listener.name.sasl_ssl.ssl.keystore.type=PEM\n\
             listener.name.sasl_ssl.ssl.keystore.location={}\n\
             listener.name.sasl_ssl.plain.sasl.jaas.config={module}.plain.PlainLoginModule required{users};\n\
             listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;\n\
             listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=\
             {module}.oauthbearer.OAuthBearerLoginModule required;\n",
            keystore.display()
        )
    }
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(user, _)| user)).finish()
    }
}

/// For nobody but us.
pub(super) fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let logins = Logins::new(&[("alice", "alice-secret")]).unwrap();
        assert_eq!(format!("{logins:?}"), "[\"alice\"]");
        let error = Logins::new(&[("alice", "two words")]).unwrap_err().to_string();
        assert!(error.contains("alice") && !error.contains("words"), "{error}");
    }
}
