//! A broker by its directory.

use super::{
    metadata,
    process::{Process, Watch, ensure_none},
    properties::{SaslListener, properties},
    sasl::{AUTHORITY_FILE, Logins, write},
    tool::{KafkaTool, QUICK},
};
use crate::{StopMode, WAIT_SECONDS_MAX, command::output, free_port, make_private};
use anyhow::{Context, bail, ensure};
use rustix::process::Signal;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it is given between two questions whether it is there.
const ASK_EVERY_MS: u64 = 50;

const WAIT_MAX: Duration = Duration::from_secs(WAIT_SECONDS_MAX as u64);

/// How much of its log is told when it does not start.
const LOG_LINES_TOLD_MAX: usize = 20;

/// For what is measured: all that Java can do, and memory that is there from the start.
const MEASURED: [&str; 3] = ["-XX:+UseG1GC", "-Xms1g", "-Xmx1g"];

/// Where a broker lies, and with what it is run. It is the same broker for whoever names the same directory. It runs
/// with our rights and listens on this machine only. Nothing is stopped when this is dropped, unless
/// [`KafkaBroker::ending_with_us`].
#[derive(Debug)]
pub struct KafkaBroker {
    tool: KafkaTool,
    directory: PathBuf,
    data: PathBuf,
    sasl: Option<SaslListener>,
    options: &'static [&'static str],
    ends_with_us: bool,
    watch: Mutex<Option<Watch>>,
}

impl KafkaBroker {
    /// The broker that lies, or is to lie, in `directory`. Where `may_install`, lacking programs are installed and jars
    /// are fetched as far as we may.
    ///
    /// # Errors
    /// When Java or the jars are lacking.
    pub fn at(directory: PathBuf, may_install: bool) -> anyhow::Result<Self> {
        let tool = if may_install { KafkaTool::find_or_install()? } else { KafkaTool::find()? };
        Ok(Self::with(tool, directory))
    }

    pub(super) fn with(tool: KafkaTool, directory: PathBuf) -> Self {
        let data = directory.join("data");
        let watch = Mutex::default();
        Self { tool, directory, data, sasl: None, options: &QUICK, ends_with_us: false, watch }
    }

    /// With its topics in another directory, which must be empty and is nobody's to remove but yours: a small disk.
    /// What the controller writes stays in the directory of the broker.
    #[must_use]
    pub fn with_data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = directory.into();
        self
    }

    /// With a second listener, [`KafkaBroker::sasl_bootstrap`], for those who log in over TLS.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn with_logins(mut self, logins: Logins) -> anyhow::Result<Self> {
        self.sasl = Some(SaslListener { logins, port: free_port()? });
        Ok(self)
    }

    /// Compiled as well as Java can and with more memory: for what measures it. It starts a second or two later.
    #[must_use]
    pub fn for_measuring(mut self) -> Self {
        self.options = &MEASURED;
        self
    }

    /// Killed when this is dropped, and when this process ends without dropping it.
    #[must_use]
    pub fn ending_with_us(mut self) -> Self {
        self.ends_with_us = true;
        self
    }

    /// What it keeps is below, unless its data is elsewhere.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where topics are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What it says: warnings and errors since it was made.
    pub fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// Where the broker of this port listens, as clients want it: `127.0.0.1:PORT`.
    pub fn bootstrap(port: u16) -> String {
        format!("127.0.0.1:{port}")
    }

    /// The same as the URL that tests are given: `kafka://127.0.0.1:PORT`.
    pub fn url(port: u16) -> String {
        format!("kafka://{}", Self::bootstrap(port))
    }

    /// Where those listen to whom it was made [`KafkaBroker::with_logins`], as `localhost:PORT`.
    pub fn sasl_bootstrap(&self) -> Option<String> {
        self.sasl.as_ref().map(|sasl| format!("localhost:{}", sasl.port))
    }

    /// The certificate (PEM) of the authority that vouches for [`KafkaBroker::sasl_bootstrap`].
    pub fn authority(&self) -> PathBuf {
        self.directory.join(AUTHORITY_FILE)
    }

    /// Makes the directory and an empty log of a cluster of one, in place of what was there.
    ///
    /// # Errors
    /// When the directory cannot be made, when a broker runs there, or what formatting says.
    pub fn make(&self) -> anyhow::Result<()> {
        ensure_none(&self.directory)?;
        make_private(&self.directory, None)?;
        fs::create_dir_all(&self.data).with_context(|| format!("cannot make {}", self.data.display()))?;
        let mut format = self.java(&[], "kafka.tools.StorageTool")?;
        format.args(["format", "--cluster-id", &self.cluster()]);
        format.arg("--config").arg(self.write_properties(free_port()?, &[])?);
        if let Some(SaslListener { logins, .. }) = &self.sasl {
            Logins::write_certificates(&self.directory)?;
            format.args(logins.format_arguments(&self.directory)?);
        }
        output(&mut format).map(drop)
    }

    /// Starts it with `settings`, each `name=value`, besides those it always has, and waits until it answers and counts
    /// itself to its cluster.
    ///
    /// # Errors
    /// When it runs already, or does not start: what it says.
    pub fn start(&self, port: u16, settings: &[&str]) -> anyhow::Result<()> {
        self.start_java(&[], port, settings)
    }

    /// The same, with options for Java.
    pub(super) fn start_java(&self, options: &[&str], port: u16, settings: &[&str]) -> anyhow::Result<()> {
        ensure_none(&self.directory)?;
        let properties = self.write_properties(port, settings)?;
        let mark = properties.to_str().context("the name of its directory is not UTF-8")?;
        let said_before = fs::metadata(self.log()).map_or(0, |log| log.len());
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.with_context(|| format!("cannot write {}", self.log().display()))?;
        let mut broker = self.java(options, "kafka.Kafka")?;
        broker.arg(mark).stdout(log.try_clone()?).stderr(log);
        let process = Process::spawn(broker, &self.directory, mark)?;
        if self.ends_with_us {
            *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(process.watch(mark)?);
        }
        let deadline = Instant::now() + WAIT_MAX;
        while !metadata::answers(port) {
            if process.ends_within(Duration::from_millis(ASK_EVERY_MS))? {
                bail!("the broker does not start: {}", self.last_words(said_before));
            }
            if Instant::now() > deadline {
                self.stop(StopMode::Immediate)?;
                let said = self.last_words(said_before);
                bail!("the broker does not answer within {WAIT_SECONDS_MAX} s: {said}");
            }
        }
        Ok(())
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When what is written down about it cannot be read.
    pub fn runs(&self) -> anyhow::Result<bool> {
        Ok(Process::find(&self.directory)?.is_some())
    }

    /// Waits until it has ended without our doing; false when it still runs after [`WAIT_SECONDS_MAX`].
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn ends_by_itself(&self) -> anyhow::Result<bool> {
        let Some(process) = Process::find(&self.directory)? else { return Ok(true) };
        process.ends_within(WAIT_MAX)
    }

    /// Stops it if it runs, and waits until it has ended. [`StopMode::Fast`] is SIGTERM, after which it hands over,
    /// writes everything down and is quick to start; [`StopMode::Immediate`] is SIGKILL, after which it starts, but
    /// serves only when its session from before is over.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&self, mode: StopMode) -> anyhow::Result<()> {
        if let Some(process) = Process::find(&self.directory)? {
            process.send(if mode == StopMode::Fast { Signal::TERM } else { Signal::KILL })?;
            let ended = process.ends_within(WAIT_MAX)?;
            ensure!(ended, "the broker does not stop within {WAIT_SECONDS_MAX} s");
        }
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(())
    }

    /// Stops it at once and removes its directory.
    ///
    /// # Errors
    /// When it does not stop, or its files cannot be removed.
    pub fn remove(&self) -> anyhow::Result<()> {
        self.stop(StopMode::Immediate)?;
        fs::remove_dir_all(&self.directory).context("cannot remove its files")
    }

    /// A class with the options of this broker. What it unpacks goes into its directory, and so away with it.
    fn java(&self, options: &[&str], class: &str) -> anyhow::Result<Command> {
        let temporary = format!("-Djava.io.tmpdir={}", self.directory.display());
        let mut java = self.tool.command(&[self.options, options, &[&temporary]].concat(), class)?;
        java.current_dir("/");
        Ok(java)
    }

    fn write_properties(&self, port: u16, settings: &[&str]) -> anyhow::Result<PathBuf> {
        let path = self.directory.join("server.properties");
        let more = settings.iter().copied();
        let text = properties(&self.directory, &self.data, port, self.sasl.as_ref(), more)?;
        write(&path, &text)?;
        Ok(path)
    }

    /// 16 bytes as Kafka writes them, different for each directory and making of it.
    fn cluster(&self) -> String {
        let mut hash = DefaultHasher::new();
        (&self.directory, std::process::id(), std::time::SystemTime::now()).hash(&mut hash);
        format!("{:016x}AAAAAA", hash.finish())
    }

    /// The end of what it has said since its log was `from` bytes long.
    fn last_words(&self, from: u64) -> String {
        let said = fs::read(self.log()).unwrap_or_default();
        let said = said.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default();
        let said = String::from_utf8_lossy(said);
        let lines: Vec<_> = said.trim().lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_TOLD_MAX)..].join("\n")
    }
}
