//! Golden files: every stored version of every event still decodes, to what it always said.

mod file;
#[cfg(test)]
mod tests;

use crate::{
    DomainEvent, codec,
    recorded::decode_parts,
    upcast::{Upcast, current_version},
};
use file::{Golden, Problem, ReadsAs};
use std::{collections::BTreeMap, fs, path::Path};

/// The environment variable that lets [`golden_files`] write those that are missing.
pub const WRITE_GOLDEN: &str = "ANNALS_WRITE_GOLDEN";

/// Proves that the events of `E` decode in every version that was ever stored. In `folder`, each has a file
/// `CATEGORY/TYPE.SCHEMA-VERSION.json`:
///
/// ```json
/// {
///   "stored": {"customer": "c-1"},
///   "reads_as": [{"type": "Placed", "payload": {"customer": "c-1", "currency": "GBP"}}]
/// }
/// ```
///
/// `stored` is the payload as it was written in that version: it is never edited. `reads_as` is what it says today;
/// a new upcast changes it, by hand, so that somebody has looked. Members that `reads_as` does not name are not
/// compared: a field that was added with a default needs no edit.
///
/// `samples` hold at least one event per variant; with `ANNALS_WRITE_GOLDEN=1` in the environment the files that
/// are missing for today's versions are written from them. A file that exists is never written.
///
/// # Panics
/// When a variant in today's version, or a shape that an upcast starts from, has no file; when a file does not
/// decode, reads as something else, or is no golden file. All problems are told at once, with what to do.
#[track_caller]
pub fn golden_files<E: DomainEvent>(folder: impl AsRef<Path>, samples: impl IntoIterator<Item = E>) {
    assert_golden(folder.as_ref(), samples, std::env::var_os(WRITE_GOLDEN).is_some_and(|value| value == "1"));
}

#[track_caller]
fn assert_golden<E: DomainEvent>(folder: &Path, samples: impl IntoIterator<Item = E>, write: bool) {
    let folder = folder.join(E::CATEGORY);
    let problems = check::<E>(&folder, samples, write);
    if !problems.is_empty() {
        let list: Vec<_> = problems.iter().map(|(file, problem)| format!("\n  {file} {problem}")).collect();
        panic!("golden files of {} events in {}:{}", E::CATEGORY, folder.display(), list.concat());
    }
}

/// File names with what is wrong with them.
fn check<E: DomainEvent>(
    folder: &Path,
    samples: impl IntoIterator<Item = E>,
    write: bool,
) -> BTreeMap<String, Problem> {
    let mut problems = BTreeMap::new();
    let mut samples = samples_by_type(samples, &mut problems);
    for (event_type, version, written_today) in must_exist::<E>(&mut problems) {
        let name = format!("{event_type}.{version}.json");
        let path = folder.join(&name);
        if path.exists() {
            continue;
        }
        let sample = samples.remove(event_type).filter(|_| written_today);
        let missing = match (sample, write) {
            (Some(sample), true) => file::write_new(&path, &sample).err().map(Problem::Unwritable),
            (Some(_), false) => Some(Problem::Missing),
            (None, _) if written_today => Some(Problem::NoSample),
            (None, _) => Some(Problem::MissingOldShape),
        };
        problems.extend(missing.map(|problem| (name, problem)));
    }
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let (name, checked) = match entry {
                    Ok(entry) => {
                        let name = entry.file_name().to_string_lossy().into_owned();
                        let checked = check_file::<E>(&entry.path(), &name);
                        (name, checked)
                    }
                    Err(error) => ("an entry of the folder".into(), Err(Problem::Unreadable(error))),
                };
                if let Err(problem) = checked {
                    problems.insert(name, problem);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => drop(problems.insert("the folder".into(), Problem::Unreadable(error))),
    }
    problems
}

/// Types and versions that were ever stored, as far as the program says, and whether they are written today.
fn must_exist<E: DomainEvent>(problems: &mut BTreeMap<String, Problem>) -> Vec<(&'static str, u32, bool)> {
    let Some(variants) = codec::variants::<E>() else {
        problems.insert(std::any::type_name::<E>().into(), Problem::NoEnum);
        return Vec::new();
    };
    let today = variants.iter().map(|name| (*name, current_version(E::UPCASTS, name), true));
    let older = E::UPCASTS.iter().map(|upcast: &Upcast| (upcast.from(), upcast.version(), false));
    today.chain(older).collect()
}

fn samples_by_type<E: DomainEvent>(
    samples: impl IntoIterator<Item = E>,
    problems: &mut BTreeMap<String, Problem>,
) -> BTreeMap<&'static str, Golden> {
    let mut by_type = BTreeMap::new();
    for sample in samples {
        let golden = codec::encode(&sample).map_err(|error| error.to_string()).and_then(|(name, payload)| {
            let today = reads_as::<E>(name, current_version(E::UPCASTS, name), payload.as_str())?;
            Ok((name, Golden::of(&payload, today)))
        });
        match golden {
            Ok((name, golden)) => drop(by_type.entry(name).or_insert(golden)),
            Err(problem) => drop(problems.insert("a sample".into(), Problem::Undecodable(problem))),
        }
    }
    by_type
}

fn check_file<E: DomainEvent>(path: &Path, name: &str) -> Result<(), Problem> {
    let (event_type, version) = file::parse_name(name).ok_or(Problem::Misnamed)?;
    let golden = file::read(path)?;
    let today = reads_as::<E>(event_type, version, golden.stored()).map_err(Problem::Undecodable)?;
    golden.compare(&today)
}

/// What a stored payload says today.
fn reads_as<E: DomainEvent>(event_type: &str, version: u32, payload: &str) -> Result<Vec<ReadsAs>, String> {
    let mut events = Vec::new();
    decode_parts::<E>(event_type, version, payload, &mut |event| events.push(codec::encode(&event)))
        .map_err(|problem| problem.to_string())?;
    events
        .into_iter()
        .map(|encoded| encoded.map(|(name, payload)| ReadsAs::new(name, &payload)).map_err(|e| e.to_string()))
        .collect()
}
