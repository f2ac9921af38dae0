//! What the driver of Kafka is built with: it is C, and wants headers of this machine.

use crate::{
    command::{installed, output},
    java::install,
};
use anyhow::bail;
use std::{path::Path, process::Command};

/// The packages of Debian and Ubuntu that hold it.
const PACKAGES: &str = "libssl-dev zlib1g-dev pkg-config make g++";

/// Programs, each with its package.
const PROGRAMS: [(&str, &str); 3] = [("pkg-config", "pkg-config"), ("make", "make"), ("c++", "g++")];

/// Libraries as pkg-config calls them, each with its package.
const LIBRARIES: [(&str, &str); 2] = [("openssl", "libssl-dev"), ("zlib", "zlib1g-dev")];

/// What is there to build the driver of Kafka with.
///
/// # Errors
/// When something is lacking: the packages, exactly.
pub fn libraries_finding() -> anyhow::Result<String> {
    let lacking = lacking();
    if !lacking.is_empty() {
        bail!("the driver of Kafka cannot be built: install {}", lacking.join(" "));
    }
    let version = output(Command::new("pkg-config").args(["--modversion", "openssl"]))?;
    Ok(format!("OpenSSL {}, zlib, pkg-config, make, c++", version.trim()))
}

/// The same; installs what is lacking where we are root and there is apt.
///
/// # Errors
/// When something is lacking all the same.
pub fn install_libraries() -> anyhow::Result<String> {
    libraries_finding().or_else(|lacking| {
        install(lacking, PACKAGES)?;
        libraries_finding()
    })
}

fn lacking() -> Vec<&'static str> {
    let programs = PROGRAMS.iter().filter(|(program, _)| !installed(program));
    let mut lacking: Vec<_> = programs.map(|(_, package)| *package).collect();
    let libraries = LIBRARIES.iter().filter(|(library, _)| !is_there(Path::new("pkg-config"), library));
    lacking.extend(libraries.map(|(_, package)| *package));
    lacking
}

fn is_there(pkg_config: &Path, library: &str) -> bool {
    // One that cannot be run finds nothing.
    output(Command::new(pkg_config).args(["--exists", library])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_a_package_that_would_be_installed() {
        let named = PROGRAMS.iter().chain(&LIBRARIES).map(|(_, package)| *package);
        let mut named: Vec<_> = named.collect();
        let mut installed: Vec<_> = PACKAGES.split(' ').collect();
        named.sort_unstable();
        installed.sort_unstable();
        assert_eq!(named, installed);
    }

    #[test]
    fn a_library_that_nobody_has_and_a_program_that_is_missing_are_not_there() {
        assert!(!is_there(Path::new("pkg-config"), "annals-no-such-library"));
        assert!(!is_there(Path::new("annals-no-such-program"), "openssl"));
    }
}
