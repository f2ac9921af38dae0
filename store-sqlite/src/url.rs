//! Where a database lies and how durable it is, as a URL says it.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where a database lies, and how durable its commits are.
///
/// Read from `sqlite:FILE` or `sqlite:FILE?synchronous=normal`. The path is what stands between `sqlite:` and the
/// first `?`, taken as it is: nothing is percent-decoded. It may be relative, and `sqlite:///var/lib/shop.db` is
/// the absolute path. Databases in memory are refused: `memory:` names the store for that.
///
/// ```
/// use annals_sqlite::{SqliteOptions, Synchronous};
/// let options: SqliteOptions = "sqlite:northwind.db?synchronous=normal".parse()?;
/// assert_eq!(options.path.to_str(), Some("northwind.db"));
/// assert_eq!(options.synchronous, Synchronous::Normal);
/// # Ok::<(), annals_sqlite::UrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file; made when it is missing, its directory is not.
    pub path: PathBuf,
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
}

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// When it was flushed to the disk: an acknowledged commit survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: a killed process loses nothing, **a power cut loses the last commits**.
    /// The file stays whole.
    Normal,
}

/// Why a text is no URL of a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} names no SQLite database: {reason}; expected sqlite:FILE or sqlite:FILE?synchronous=normal")]
pub struct UrlError {
    url: String,
    reason: String,
}

/// An error quotes at most this many characters of what it was given.
const QUOTED_CHARS_MAX: usize = 255;

impl SqliteOptions {
    /// The file at `path`, with durable commits.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), synchronous: Synchronous::Full }
    }

    /// The same file with other durability.
    #[must_use]
    pub fn synchronous(self, synchronous: Synchronous) -> Self {
        Self { synchronous, ..self }
    }
}

impl FromStr for SqliteOptions {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let refused = |reason: String| UrlError { url: url.chars().take(QUOTED_CHARS_MAX).collect(), reason };
        let rest =
            url.strip_prefix("sqlite:").ok_or_else(|| refused("it does not begin with sqlite:".into()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        match path {
            "" => return Err(refused("there is no file name in it".into())),
            ":memory:" => {
                return Err(refused(
                    "an embedded database needs a file; for one in memory use memory:".into(),
                ));
            }
            _ if path.contains('\0') => return Err(refused("the file name holds a NUL".into())),
            _ if path.starts_with("//") && !path.starts_with("///") => {
                return Err(refused("it names a host; an absolute path has one slash or three".into()));
            }
            _ => {}
        }
        let mut options = Self::new(path.strip_prefix("//").unwrap_or(path));
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            options.synchronous = match setting {
                "synchronous=full" => Synchronous::Full,
                "synchronous=normal" => Synchronous::Normal,
                _ => {
                    let setting: String = setting.chars().take(QUOTED_CHARS_MAX).collect();
                    return Err(refused(format!("there is no option {setting:?}")));
                }
            }
        }
        Ok(options)
    }
}

impl Synchronous {
    /// As the pragma names it.
    pub(crate) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
        }
    }

    /// As the pragma answers it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Normal => 1,
            Self::Full => 2,
        }
    }
}

impl fmt::Display for Synchronous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.pragma())
    }
}

/// The file of the read models beside a log: `NAME-views.db` for `NAME.db`.
pub fn views_beside(log: &Path) -> PathBuf {
    let mut name = OsString::from(log.file_stem().unwrap_or_default());
    name.push("-views");
    if let Some(extension) = log.extension() {
        name.push(".");
        name.push(extension);
    }
    log.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<SqliteOptions, UrlError> {
        url.parse()
    }

    #[test]
    fn a_url_names_file_and_durability() {
        assert_eq!(parse("sqlite:shop.db").unwrap(), SqliteOptions::new("shop.db"));
        assert_eq!(parse("sqlite:a dir/sh%20op.db").unwrap(), SqliteOptions::new("a dir/sh%20op.db"));
        assert_eq!(
            parse("sqlite:/var/shop.db?synchronous=full").unwrap(),
            SqliteOptions::new("/var/shop.db")
        );
        assert_eq!(parse("sqlite:///var/shop.db").unwrap(), SqliteOptions::new("/var/shop.db"));
        let normal = SqliteOptions::new("shop.db").synchronous(Synchronous::Normal);
        assert_eq!(parse("sqlite:shop.db?synchronous=normal").unwrap(), normal);
    }

    #[test]
    fn what_names_no_file_is_refused_and_says_why() {
        for (url, reason) in [
            ("shop.db", "does not begin with sqlite:"),
            ("sqlite:", "no file name"),
            ("sqlite:?synchronous=full", "no file name"),
            ("sqlite::memory:", "use memory:"),
            ("sqlite:a\0b", "NUL"),
            ("sqlite://host/shop.db", "names a host"),
            ("sqlite:shop.db?synchronous=off", "no option \"synchronous=off\""),
            ("sqlite:shop.db?mode=ro", "no option \"mode=ro\""),
        ] {
            let error = parse(url).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn views_lie_beside_their_log() {
        for (log, views) in [
            ("shop.db", "shop-views.db"),
            ("/var/lib/shop.db", "/var/lib/shop-views.db"),
            ("dir.d/shop", "dir.d/shop-views"),
            ("shop.eu.sqlite", "shop.eu-views.sqlite"),
        ] {
            assert_eq!(views_beside(Path::new(log)), Path::new(views));
        }
    }
}
