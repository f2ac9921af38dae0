//! Whether a connection is made with TLS, and what is asked of the certificate.

use super::UrlError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::net::IpAddr;

/// What a URL says about TLS.
#[derive(Default)]
pub(super) struct Asked {
    mode: Option<PgSslMode>,
    names_a_root: bool,
}

impl Asked {
    /// One option of the URL, of whatever kind.
    pub(super) fn hear(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match (name, value) {
            ("sslmode", "disable") => self.mode = Some(PgSslMode::Disable),
            ("sslmode", "require") => self.mode = Some(PgSslMode::Require),
            ("sslmode", "verify-ca") => self.mode = Some(PgSslMode::VerifyCa),
            ("sslmode", "verify-full") => self.mode = Some(PgSslMode::VerifyFull),
            ("sslmode", "prefer" | "allow") => {
                return Err(UrlError::tls(format!(
                    "sslmode={value} would send everything in the clear as soon as somebody on the way asks for it"
                )));
            }
            // Not quoted: what stands there may be a password in the wrong place.
            ("sslmode", _) => return Err(UrlError::tls("there is no such sslmode")),
            ("sslrootcert", _) => self.names_a_root = true,
            _ => {}
        }
        Ok(())
    }

    /// The same options with what is said, or with what is right for that server.
    pub(super) fn settle(&self, connect: PgConnectOptions) -> Result<PgConnectOptions, UrlError> {
        let mode = match self.mode {
            Some(PgSslMode::Disable | PgSslMode::Require) if self.names_a_root => {
                return Err(UrlError::tls(
                    "this sslmode looks at no certificate, so sslrootcert would count for nothing",
                ));
            }
            Some(mode) => mode,
            None if self.names_a_root => PgSslMode::VerifyFull,
            None => match connect.get_ssl_mode() {
                // From the environment.
                asked @ (PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull) => asked,
                _ if is_here(&connect) => PgSslMode::Prefer,
                _ => PgSslMode::VerifyFull,
            },
        };
        Ok(connect.ssl_mode(mode))
    }
}

/// Whether the server is on this machine: nobody stands on the way.
fn is_here(connect: &PgConnectOptions) -> bool {
    let host = connect.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    connect.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}
