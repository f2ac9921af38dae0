//! What a log promises and what its read models lie on, and the log's own walk over its tables.

use super::{Integrity, OTHER, ReadSide, Stores};
use crate::{
    Progress,
    integrity::{Positions, Walked, walk},
};
use annals::StoreError;
use annals_postgres::{Pooler, PostgresSettings};
use serde::Serialize;
use std::fmt;

/// What a log promises, or what read models lie on, read back from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// Which kind of store.
    pub store: String,
    /// Whether a commit survives a power cut that is acknowledged under these settings; none where the store does not
    /// say.
    pub durable: Option<bool>,
    /// The file, or the URL of the database without its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The version of the SQLite library, or of the PostgreSQL server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// How SQLite keeps its journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_mode: Option<String>,
    /// When a commit counts as durable: `synchronous_commit` for PostgreSQL; `full` or `normal` for SQLite, where it is
    /// that of this program's own URL: whatever else appends to the file has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synchronous: Option<String>,
    /// Whether PostgreSQL flushes what it acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fsync: Option<String>,
    /// Whether PostgreSQL writes whole pages after a checkpoint, so that none is torn by a power cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_page_writes: Option<String>,
    /// Whether this PostgreSQL server only copies another one, which takes the writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standby: Option<bool>,
    /// The schema of PostgreSQL that holds the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The user that this program is to PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What that user may do with the tables: `superuser`, `owner`, `append` (a log) or `write` (read models), `read`,
    /// `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    /// The isolation of transactions in PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// The version of TLS between this program and PostgreSQL, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// What stands between this program and PostgreSQL, as the URL says it: `none` or `transaction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooler: Option<String>,
    /// How many connections one process has at most to PostgreSQL for this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_max: Option<usize>,
    /// The layout of the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<i64>,
    /// The size on the disk, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
}

impl Stores {
    /// What the log promises.
    pub async fn settings(&self) -> Result<Settings, StoreError> {
        let sqlite = match &self.integrity {
            Integrity::Reading { store } => {
                let durable = (*store == "memory").then_some(false);
                return Ok(Settings { store: (*store).into(), durable, ..Settings::default() });
            }
            Integrity::Postgres(postgres) => return postgres.settings().await.map(of_server),
            Integrity::Sqlite(sqlite) => sqlite.settings().await?,
        };
        Ok(Settings {
            store: "sqlite".into(),
            durable: Some(sqlite.synchronous == "full"),
            path: Some(sqlite.path.display().to_string()),
            library: Some(sqlite.library.into()),
            journal_mode: Some(sqlite.journal_mode),
            synchronous: Some(sqlite.synchronous.into()),
            layout: Some(sqlite.layout),
            bytes: Some(sqlite.page_bytes.saturating_mul(sqlite.pages)),
            ..Settings::default()
        })
    }

    /// What the read models lie on; none where there are none yet.
    pub async fn read_models_settings(&self) -> Result<Option<Settings>, StoreError> {
        Ok(match &self.read_side {
            ReadSide::Missing => None,
            ReadSide::Other(store) => Some(Settings { store: (*store).into(), ..Settings::default() }),
            ReadSide::Sqlite(path, documents) => Some(Settings {
                store: "sqlite".into(),
                path: Some(path.display().to_string()),
                synchronous: Some(documents.synchronous().await?.to_string()),
                ..Settings::default()
            }),
            ReadSide::Postgres(postgres) => Some(of_server(postgres.settings().await?)),
        })
    }

    /// Walks the whole log: by the store's own walk where it has one, else by reading it.
    pub(crate) async fn walk(&self, progress: Progress) -> Result<Walked, StoreError> {
        let sqlite = match &self.integrity {
            Integrity::Sqlite(sqlite) => sqlite,
            // Of a store of somebody else's no more is known than every store promises.
            Integrity::Reading { store: OTHER } => {
                return walk(&*self.store, Positions::Rising, &progress).await;
            }
            Integrity::Reading { .. } | Integrity::Postgres(_) => {
                return walk(&*self.store, Positions::Contiguous, &progress).await;
            }
        };
        let checked = sqlite.check(move |rows, of| progress.at(rows, of)).await?;
        Ok(Walked {
            events: checked.events,
            streams: checked.streams,
            problems_found: checked.problems_found,
            problems: checked.problems.iter().map(ToString::to_string).collect(),
        })
    }
}

fn of_server(postgres: PostgresSettings) -> Settings {
    let pooler = match postgres.pooler {
        Pooler::None => "none",
        Pooler::Transaction => "transaction",
    };
    Settings {
        store: "postgres".into(),
        durable: Some(postgres.is_durable()),
        path: Some(postgres.place),
        library: Some(postgres.version),
        synchronous: Some(postgres.synchronous_commit),
        fsync: Some(postgres.fsync),
        full_page_writes: Some(postgres.full_page_writes),
        standby: Some(postgres.is_standby),
        schema: Some(postgres.schema),
        role: Some(postgres.role),
        right: Some(postgres.right),
        isolation: Some(postgres.isolation),
        tls: Some(postgres.tls.unwrap_or_else(|| "none".into())),
        pooler: Some(pooler.into()),
        connections_max: Some(postgres.connections_max),
        layout: Some(postgres.layout),
        bytes: Some(postgres.bytes),
        ..Settings::default()
    }
}

/// Whose setting `synchronous` of SQLite is.
const OF_THIS_URL: &str = " (under this command's URL; whatever else writes to the file goes by its own)";

/// The facts alone: what becomes of an acknowledged commit is said of a log only.
pub(crate) struct Facts<'a>(pub(crate) &'a Settings);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Settings { store, schema, library, path, role, right, layout, connections_max, .. }) = self;
        f.write_str(store)?;
        if let (Some(_), Some(version)) = (schema, library) {
            write!(f, " {version}")?;
        }
        if let Some(path) = path {
            write!(f, " {path}")?;
        }
        if self.0.standby == Some(true) {
            f.write_str(", a standby")?;
        }
        if let (Some(schema), Some(layout)) = (schema, layout) {
            write!(f, ", schema {schema} of layout {layout}")?;
        }
        if let (Some(role), Some(right)) = (role, right) {
            write!(f, ", role {role} ({right})")?;
        }
        let settings = [
            ("journal_mode", &self.0.journal_mode),
            ("synchronous", &self.0.synchronous),
            ("fsync", &self.0.fsync),
            ("full_page_writes", &self.0.full_page_writes),
            ("isolation", &self.0.isolation),
            ("TLS", &self.0.tls),
            ("pooler", &self.0.pooler),
        ];
        for (name, value) in settings {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        match connections_max {
            Some(count) => write!(f, ", {count} connections a process at most"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Facts(self))?;
        f.write_str(match self.durable {
            Some(true) => "; an acknowledged commit survives a power cut",
            Some(false) if self.store == "memory" => "; gone with the process",
            Some(false) => "; a power cut may take the last commits",
            None => "",
        })?;
        // Of SQLite this is no setting of the file.
        f.write_str(if self.store == "sqlite" { OF_THIS_URL } else { "" })
    }
}
