//! What the kernel says of this process and this machine. Much of it Linux only; elsewhere it is not known.

use std::time::Duration;

/// The most memory that this process has held, in KiB; `None` where the kernel does not tell.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The time that the threads of this process were running on a core, those that have ended too.
pub(crate) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    // Neither is negative, nor are there more nanoseconds than a second has.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How many cores there are and how busy they are, in words.
pub fn state_of_machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_deref().and_then(|load| load.split_whitespace().next()).unwrap_or("unknown");
    format!("{cores} cores, load {load}")
}

/// The kind of file system under `path`, as the kernel names it.
pub(crate) fn file_system(path: &std::path::Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let over = mounted.filter(|(at, _)| path.starts_with(at));
    over.max_by_key(|(at, _)| at.len()).map(|(_, kind)| kind.to_string())
}
