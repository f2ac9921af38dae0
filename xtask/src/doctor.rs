//! `cargo xtask doctor`: what this machine has, what it lacks and for which step, and how to get it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use annals_services::installed;
use anyhow::Context;
use serde::Deserialize;

/// A debug and a release build of everything, with tests, takes about half of it.
const FREE_DISK_GIB_MIN: u64 = 8;

/// Memory-backed files: a disk whose fsync costs nothing.
const TMPFS: &str = "/dev/shm";

/// One thing that a step needs.
struct Need {
    name: &'static str,
    needed_for: &'static str,
    /// Whether `cargo xtask test` fails without it.
    required: bool,
    look: fn(&Machine) -> anyhow::Result<Finding>,
}

enum Finding {
    Here(String),
    Missing { what: String, next: String },
}

/// Where to look.
struct Machine {
    root: PathBuf,
    target: PathBuf,
}

const NEEDS: &[Need] = &[
    Need { name: "rustc", needed_for: "everything", required: true, look: rustc },
    Need {
        name: "rustfmt",
        needed_for: "step fmt",
        required: true,
        look: |_| component("rustfmt", "cargo-fmt"),
    },
    Need {
        name: "clippy",
        needed_for: "step clippy",
        required: true,
        look: |_| component("clippy", "cargo-clippy"),
    },
    Need { name: "C compiler", needed_for: "the SQLite that is built in", required: true, look: c_compiler },
    Need { name: "libraries", needed_for: "building the driver of Kafka", required: true, look: libraries },
    Need { name: "git", needed_for: "steps paths, lengths, ignored", required: true, look: git },
    Need { name: "target directory", needed_for: "everything", required: true, look: target },
    Need { name: "free disk", needed_for: "building everything", required: true, look: free_disk },
    Need { name: "tmpfs", needed_for: "benches without disk latency", required: false, look: tmpfs },
    Need { name: "PostgreSQL", needed_for: "the tests of the store on it", required: false, look: postgres },
    Need { name: "pgbouncer", needed_for: "its tests behind a pooler", required: false, look: pgbouncer },
    Need { name: "Kafka", needed_for: "the tests of the publisher to it", required: false, look: kafka },
    Need { name: "cargo-deny", needed_for: "step advisories", required: false, look: cargo_deny },
];

/// Fails when something is missing that `cargo xtask test` cannot do without.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    // Not `Workspace::load`: with a broken toolchain or lock file this must still answer.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask doctor`")?;
    let root = Path::new(&here).parent().context("xtask lies inside the workspace")?.to_owned();
    let target = crate::services::target_dir(&root);
    let machine = Machine { root, target };

    let mut missing = 0;
    for need in NEEDS {
        let found = (need.look)(&machine).unwrap_or_else(|error| Finding::Missing {
            what: format!("{error:#}"),
            next: format!("see to it that {} works", need.name),
        });
        match found {
            Finding::Here(what) => println!("ok        {:<17} {what}", need.name),
            Finding::Missing { what, next } => {
                let word = if need.required { "MISSING" } else { "optional" };
                println!("{word:<9} {:<17} {what}; for {}", need.name, need.needed_for);
                println!("          {:<17} next: {next}", "");
                missing += u32::from(need.required);
            }
        }
    }
    println!();
    if missing > 0 {
        println!("{missing} missing; `cargo xtask test` would fail");
        return Ok(ExitCode::FAILURE);
    }
    println!("ready: cargo xtask test");
    Ok(ExitCode::SUCCESS)
}

fn rustc(machine: &Machine) -> anyhow::Result<Finding> {
    #[derive(Deserialize)]
    struct File {
        toolchain: Toolchain,
    }
    #[derive(Deserialize)]
    struct Toolchain {
        channel: String,
    }
    let pinned = std::fs::read_to_string(machine.root.join("rust-toolchain.toml"))?;
    let pinned = toml::from_str::<File>(&pinned)?.toolchain.channel;
    let version = first_line("rustc", &["--version"])?;
    Ok(if version.split(' ').nth(1) == Some(pinned.as_str()) {
        Finding::Here(version)
    } else {
        Finding::Missing {
            what: format!("{version}, and rust-toolchain.toml asks for {pinned}"),
            next: format!("rustup toolchain install {pinned}"),
        }
    })
}

fn component(name: &str, program: &str) -> anyhow::Result<Finding> {
    // rustup leaves a program in the way even where the component is missing: only running it tells.
    Ok(match first_line(program, &["--version"]) {
        Ok(version) => Finding::Here(version),
        Err(error) => {
            Finding::Missing { what: error.to_string(), next: format!("rustup component add {name}") }
        }
    })
}

fn c_compiler(_: &Machine) -> anyhow::Result<Finding> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    Ok(match first_line(&compiler, &["--version"]) {
        Ok(version) => Finding::Here(version),
        Err(error) => Finding::Missing {
            what: error.to_string(),
            next: "apt-get install gcc libc6-dev, or set CC to the compiler you have".into(),
        },
    })
}

fn git(machine: &Machine) -> anyhow::Result<Finding> {
    let version = match first_line("git", &["--version"]) {
        Ok(version) => version,
        Err(error) => {
            return Ok(Finding::Missing { what: error.to_string(), next: "apt-get install git".into() });
        }
    };
    let root = machine.root.display().to_string();
    Ok(match first_line("git", &["-C", &root, "rev-parse", "--show-toplevel"]) {
        Ok(_) => Finding::Here(version),
        Err(error) => {
            Finding::Missing { what: error.to_string(), next: "work in a clone, not in a copy".into() }
        }
    })
}

fn target(machine: &Machine) -> anyhow::Result<Finding> {
    Ok(writable(&machine.target, "set CARGO_TARGET_DIR to a directory that you may write to"))
}

fn tmpfs(_: &Machine) -> anyhow::Result<Finding> {
    Ok(writable(
        Path::new(TMPFS),
        "benches measure on the disk alone; mount a tmpfs there for the other column",
    ))
}

fn writable(dir: &Path, next: &str) -> Finding {
    let probe = dir.join(format!("annals-doctor-{}", std::process::id()));
    let tried = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => Finding::Here(dir.display().to_string()),
        Err(error) => Finding::Missing {
            what: format!("cannot write to {}: {error}", dir.display()),
            next: next.into(),
        },
    }
}

fn free_disk(machine: &Machine) -> anyhow::Result<Finding> {
    let dir = machine.target.display().to_string();
    let answer = output("df", &["-Pk", &dir])?;
    let free_kib = free_kib(&answer).with_context(|| format!("cannot read what df says: {answer}"))?;
    let free_gib = free_kib / (1024 * 1024);
    Ok(if free_gib >= FREE_DISK_GIB_MIN {
        Finding::Here(format!("{free_gib} GiB for {dir}"))
    } else {
        Finding::Missing {
            what: format!("{free_gib} GiB for {dir}, and a full build wants {FREE_DISK_GIB_MIN}"),
            next: "make room, or set CARGO_TARGET_DIR to a larger disk".into(),
        }
    })
}

/// The fourth column of the second line of `df -Pk`.
fn free_kib(answer: &str) -> Option<u64> {
    answer.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn postgres(_: &Machine) -> anyhow::Result<Finding> {
    Ok(match crate::services::postgres_finding() {
        Ok(version) => Finding::Here(version),
        Err(error) => Finding::Missing {
            what: format!("{error:#}"),
            next: "apt-get install postgresql, or let `cargo xtask test` do it as root".into(),
        },
    })
}

fn pgbouncer(_: &Machine) -> anyhow::Result<Finding> {
    Ok(match annals_services::pgbouncer_finding() {
        Ok(version) => Finding::Here(version),
        Err(error) => Finding::Missing {
            what: format!("{error:#}"),
            next: "apt-get install pgbouncer, or let `cargo xtask test` do it as root".into(),
        },
    })
}

fn kafka(_: &Machine) -> anyhow::Result<Finding> {
    Ok(match crate::services::kafka_finding() {
        Ok(version) => Finding::Here(version),
        Err(error) => Finding::Missing {
            what: format!("{error:#}"),
            next: "apt-get install default-jre-headless maven, then cargo xtask up; as root on Debian and Ubuntu that does all"
                .into(),
        },
    })
}

fn libraries(_: &Machine) -> anyhow::Result<Finding> {
    Ok(match annals_services::libraries_finding() {
        Ok(what) => Finding::Here(what),
        Err(error) => Finding::Missing {
            what: format!("{error:#}"),
            next: "install them with apt-get, or let `cargo xtask test` do it as root on Debian and Ubuntu"
                .into(),
        },
    })
}

fn cargo_deny(_: &Machine) -> anyhow::Result<Finding> {
    Ok(if installed("cargo-deny") {
        Finding::Here(first_line("cargo-deny", &["--version"])?)
    } else {
        Finding::Missing {
            what: "not installed".into(),
            next: "cargo install cargo-deny --locked && cargo deny fetch db".into(),
        }
    })
}

fn first_line(program: &str, args: &[&str]) -> anyhow::Result<String> {
    Ok(output(program, args)?.lines().next().unwrap_or_default().to_owned())
}

fn output(program: &str, args: &[&str]) -> anyhow::Result<String> {
    let answer = Command::new(program).args(args).stdin(Stdio::null()).output();
    let answer = answer.with_context(|| format!("`{program}` does not run"))?;
    let said = String::from_utf8_lossy(if answer.status.success() { &answer.stdout } else { &answer.stderr });
    anyhow::ensure!(answer.status.success(), "`{program}` fails: {}", said.trim());
    Ok(said.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_a_next_step() {
        let found = component("nothing", "annals-no-such-program").unwrap();
        assert!(matches!(found, Finding::Missing { next, .. } if next == "rustup component add nothing"));
        let found = writable(Path::new("/proc/annals"), "elsewhere");
        assert!(matches!(found, Finding::Missing { next, .. } if next == "elsewhere"));
    }

    #[test]
    fn the_answer_of_df_is_read() {
        let answer = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 40 60 40% /\n";
        assert_eq!(free_kib(answer), Some(60));
        assert_eq!(free_kib("df: no such file"), None);
    }
}
