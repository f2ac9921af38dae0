//! The limit of single appends: pgbench inserts bare rows, prepared, one a transaction.

use annals_benches::postgres::Server;
use annals_benches::{Turn, shop::Maker};
use anyhow::{Context, bail};
use std::{cell::Cell, fs, path::PathBuf, time::Duration};

/// Threads of pgbench: as many as it may keep busy on a small machine.
const THREADS_MAX: usize = 2;

/// A first turn, to find out how many fit in one; fewer say nothing.
const FIRST_EACH: usize = 50;

/// Its turns are so many times as long: each of its connections is a new one, and begins by filling its caches.
const LONGER: u32 = 4;

/// Inserts by so many clients at once.
pub(crate) struct Pgbench<'a> {
    server: &'a Server,
    clients: usize,
    turn: Duration,
    script: PathBuf,
    values: [String; 2],
    /// Versions go on from here: none is used twice.
    next: Cell<u64>,
    each: Cell<usize>,
}

impl<'a> Pgbench<'a> {
    /// The table must be there: see `bare.sql`. `number` is its own for each on one server.
    pub(crate) fn new(
        server: &'a Server,
        number: u64,
        clients: usize,
        turn: Duration,
    ) -> anyhow::Result<Self> {
        let script = server.room().join("insert.pgbench");
        fs::write(&script, include_str!("insert.pgbench")).context("cannot write a script")?;
        let event = Maker::new(9).events(&"order-1".parse()?, 1)?.remove(0);
        let values =
            [format!("metadata={}", event.metadata.as_str()), format!("payload={}", event.payload.as_str())];
        let next = Cell::new(number << 32);
        Ok(Self { server, clients, turn, script, values, next, each: Cell::new(FIRST_EACH) })
    }

    /// One turn: how many a second.
    pub(crate) fn turn(&self) -> anyhow::Result<Turn> {
        Ok(self.run(&[])?.into())
    }

    fn run(&self, more: &[&str]) -> anyhow::Result<f64> {
        let each = self.each.get();
        let mut pgbench = self.server.program("pgbench");
        let (port, clients) = (self.server.port().to_string(), self.clients.to_string());
        pgbench.args(["-n", "-h", "127.0.0.1", "-U", annals_services::USER, "-M", "prepared", "-p", &port]);
        pgbench.args(["-c", &clients, "-j", &self.clients.min(THREADS_MAX).to_string()]);
        pgbench.args(["-t", &each.to_string(), "-D", &format!("v={}", self.next.get())]);
        pgbench.args(["-D", &self.values[0], "-D", &self.values[1]]).args(more);
        let done = pgbench.arg("-f").arg(&self.script).arg("postgres").output();
        let done = done.context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&done.stdout);
        if !done.status.success() {
            bail!("pgbench failed: {}", String::from_utf8_lossy(&done.stderr).trim());
        }
        let tps =
            said.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|line| line.split(' ').next());
        let tps: f64 = tps.context("pgbench told no figure")?.parse()?;
        self.next.set(self.next.get() + each as u64);
        let fits = (self.turn * LONGER).as_secs_f64() * tps / self.clients as f64;
        self.each.set((fits as usize).max(FIRST_EACH));
        Ok(tps)
    }
}
