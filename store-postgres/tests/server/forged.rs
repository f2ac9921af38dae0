//! What somebody with the right to append calls with arrays of its own making.

use crate::{
    place::{Place, at, number, to},
    rights::role,
};
use annals::{EventStore, Expected, LogFilter, PageLimit, Position};
use annals_postgres::{PostgresStore, Right};
use sqlx::{AssertSqlSafe, PgConnection};

mod behind;
mod called;
mod limits;
mod one;

/// A call of the short way, array by array.
#[derive(Clone, Copy)]
struct Next {
    head: i64,
    begun: &'static str,
    names: &'static str,
    streams: &'static str,
    versions: &'static str,
    types: &'static str,
    indexes: &'static str,
    sizes: &'static str,
    events: usize,
}

/// The third event of `order-1`, whose type is the first, behind the two of `order-1` and one of `stock-1`.
const NEXT: Next = Next {
    head: 3,
    begun: "{}",
    names: "{}",
    streams: "{1}",
    versions: "{3}",
    types: "{1}",
    indexes: "{0}",
    sizes: "{1}",
    events: 1,
};

/// A commit on that stream and on one that begins.
const NEXT_TWO: Next = Next {
    begun: "{5}",
    names: "{order-2}",
    streams: "{1,5}",
    versions: "{3,1}",
    types: "{1,1}",
    indexes: "{0,1}",
    sizes: "{2,2}",
    events: 2,
    ..NEXT
};

impl Next {
    fn sql(&self) -> String {
        self.call("append_next", "")
    }

    /// The same arrays for `function`, which takes `more` behind them.
    fn call(&self, function: &str, more: &str) -> String {
        let Self { head, begun, names, streams, versions, types, indexes, sizes, events } = self;
        format!(
            "SELECT outcome FROM {function}(pg_postmaster_start_time(), {head}, '{begun}', '{names}', '{streams}', \
             '{versions}', {}, '{types}', '{indexes}', '{sizes}', {TEXTS}, {TEXTS}{more})",
            ids(*events)
        )
        .replace(TEXTS, &texts(*events))
    }
}

/// A call of the long way.
#[derive(Clone, Copy)]
struct Checked {
    names: &'static str,
    commits: &'static str,
    streams: &'static str,
    expected: &'static str,
    counts: &'static str,
    writes: &'static str,
    types: &'static str,
    events: usize,
}

const CHECKED: Checked = Checked {
    names: "{order-1}",
    commits: "{1}",
    streams: "{1}",
    expected: "{-1}",
    counts: "{1}",
    writes: "{1}",
    types: "{1}",
    events: 1,
};

const CHECKED_TWO: Checked = Checked {
    names: "{order-1,order-2}",
    commits: "{1,1}",
    streams: "{1,2}",
    expected: "{2,0}",
    counts: "{1,1}",
    writes: "{1,2}",
    types: "{1,1}",
    events: 2,
};

impl Checked {
    fn sql(&self) -> String {
        let Self { names, commits, streams, expected, counts, writes, types, events } = self;
        format!(
            "SELECT outcome FROM append_checked(pg_postmaster_start_time(), '{names}', '{commits}', '{streams}', \
             '{expected}', '{counts}', '{writes}', {}, '{types}', {TEXTS}, {TEXTS})",
            ids(*events)
        )
        .replace(TEXTS, &texts(*events))
    }
}

const TEXTS: &str = "<texts>";

fn texts(events: usize) -> String {
    format!("array_fill('{{}}'::json, ARRAY[{events}])")
}

fn ids(events: usize) -> String {
    format!("ARRAY(SELECT gen_random_uuid() FROM generate_series(1, {events}))")
}

/// Calls it and takes it back: whether it wrote anything, or why it was refused.
async fn writes(connection: &mut PgConnection, sql: &str) -> Result<bool, String> {
    const ROWS: &str = "SELECT (SELECT count(*) FROM log) * 10000 + (SELECT count(*) FROM streams) * 100 \
                        + (SELECT count(*) FROM types)";
    let before = number(connection, ROWS).await;
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    let written = match sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(&mut *connection).await {
        Ok(_) => Ok(number(connection, ROWS).await > before),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
            assert!(code.starts_with("23"), "{sql}: {error}");
            Err(error.to_string())
        }
    };
    sqlx::raw_sql("ROLLBACK").execute(connection).await.unwrap();
    written
}

/// Tries them all, and names each that went through.
async fn none_is_written(connection: &mut PgConnection, forged: impl IntoIterator<Item = String>) {
    let mut forgeries = vec![];
    for sql in forged {
        if writes(connection, &sql).await == Ok(true) {
            forgeries.push(sql);
        }
    }
    assert!(forgeries.is_empty(), "{} forged: {forgeries:#?}", forgeries.len());
}

/// The owner's log, with two events of `order-1` and one of `stock-1`; a role that may append, and a session of it.
async fn log_and_role() -> Option<(Place, PostgresStore, String, PgConnection)> {
    let place = Place::new()?;
    let owner = place.store().await;
    owner.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    owner.append(to("stock-1", Expected::NEW, 1)).await.unwrap();
    let (name, raw) = role(&place, &owner, Right::Append).await;
    Some((place, owner, name, raw))
}

const BY_THE_SHORT_WAY: [Next; 20] = [
    // In front of the log, or apart from it.
    Next { head: -5, ..NEXT },
    Next { head: -1, begun: "{0}", names: "{order-9}", streams: "{0}", versions: "{1}", ..NEXT },
    Next { head: 4, ..NEXT },
    // A version skipped, a stream that is none, one without events, one that begins elsewhere.
    Next { versions: "{4}", ..NEXT },
    Next { streams: "{4}", versions: "{1}", ..NEXT },
    Next { begun: "{9}", names: "{order-9}", ..NEXT },
    Next { begun: "{2}", names: "{order-9}", ..NEXT },
    // Names that no reader can split.
    Next { begun: "{4}", names: "{Order-9}", streams: "{4}", versions: "{1}", ..NEXT },
    Next { begun: "{4}", names: "{order}", streams: "{4}", versions: "{1}", ..NEXT },
    Next { begun: "{4}", names: "{order-}", streams: "{4}", versions: "{1}", ..NEXT },
    Next { begun: "{4}", names: "{/order-9}", streams: "{4}", versions: "{1}", ..NEXT },
    // A type that is none, and one of another category.
    Next { types: "{99}", ..NEXT },
    Next { types: "{2}", ..NEXT },
    // Commits that are not whole.
    Next { indexes: "{-1}", ..NEXT },
    Next { indexes: "{1}", ..NEXT },
    Next { indexes: "{1}", sizes: "{2}", ..NEXT },
    Next { sizes: "{2}", ..NEXT },
    Next { indexes: "{0,0}", ..NEXT_TWO },
    Next { sizes: "{2,3}", ..NEXT_TWO },
    // Arrays that do not belong together.
    Next { versions: "{3}", ..NEXT_TWO },
];

const BY_THE_LONG_WAY: [Checked; 13] = [
    // One that is written in front of the log, because the counts of a refused commit say more than there is.
    Checked {
        names: "{order-1,stock-1}",
        commits: "{1,2,2,2}",
        streams: "{1,1,2,1}",
        expected: "{0,-1,-1,-1}",
        counts: "{4,4,-4,1}",
        writes: "{4}",
        ..CHECKED
    },
    // Events that belong to no write, to another one, to more or fewer than are there: gaps in positions and versions.
    Checked { writes: "{0,1}", types: "{1,1}", events: 2, ..CHECKED },
    Checked { writes: "{1,1}", types: "{1,1}", events: 2, ..CHECKED },
    Checked { writes: "{2,1}", ..CHECKED_TWO },
    Checked { counts: "{2}", ..CHECKED },
    Checked { counts: "{2,-1}", ..CHECKED_TWO },
    Checked { counts: "{1,0}", writes: "{1}", types: "{1}", events: 1, ..CHECKED_TWO },
    // Other streams, names and types than there are.
    Checked { streams: "{2}", ..CHECKED },
    Checked { names: "{Order-9}", ..CHECKED },
    Checked { types: "{99}", ..CHECKED },
    Checked { types: "{2}", ..CHECKED },
    // Arrays that do not belong together, one of which never ended.
    Checked { counts: "{2}", writes: "{1,1}", events: 2, ..CHECKED },
    Checked { commits: "{NULL}", counts: "{NULL}", ..CHECKED },
];

/// Control: with the migrations up to the seventh, 26 of these are written, and the last one never ends.
#[tokio::test]
async fn whoever_appends_can_make_up_no_row() {
    let Some((place, owner, name, mut raw)) = log_and_role().await else { return };
    sqlx::raw_sql("SET statement_timeout = '10s'").execute(&mut raw).await.unwrap();

    let honest = [NEXT.sql(), NEXT_TWO.sql(), CHECKED.sql(), CHECKED_TWO.sql()];
    for sql in &honest {
        assert_eq!(writes(&mut raw, sql).await, Ok(true), "{sql}");
    }
    let interned = |category: &str, name: &str, version: i32| {
        format!("SELECT intern(ARRAY['{category}'], ARRAY['{name}'], ARRAY[{version}])")
    };
    assert_eq!(writes(&mut raw, &interned("order", "Shipped", 1)).await, Ok(true));
    let long = "n".repeat(256);
    let types = [("Order", "Shipped", 1), ("order", "", 1), ("order", "Shipped", 0), ("order", &long, 1)];
    let types = types.map(|(category, name, version)| interned(category, name, version));
    let forged = BY_THE_SHORT_WAY.iter().map(Next::sql).chain(BY_THE_LONG_WAY.iter().map(Checked::sql));
    none_is_written(&mut raw, forged.chain(types)).await;

    // Nothing of that is left, and what the role is there for works: the short way, the long way, several streams.
    let store = PostgresStore::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    store.append(to("order-1", at(2), 3)).await.unwrap();
    let several = to("acme/order-2", Expected::NEW, 2);
    let several = several.and(crate::place::stream("stock-1"), at(1), [crate::place::event()]);
    store.append(several).await.unwrap();
    owner.append(to("order-1", at(5), 1)).await.unwrap();
    let several = to("order-1", at(6), 1);
    let several = several.and(crate::place::stream("order-3"), Expected::NEW, [crate::place::event()]);
    store.append(several).await.unwrap();
    let page = owner.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    let read: Vec<u64> = page.events.iter().map(|event| event.position.get()).collect();
    assert_eq!(read, (1..=12).collect::<Vec<_>>());
}

/// The names of streams that are allowed are those that readers take.
///
/// Control: without the conditions on `s.name` in `check_written`, and those on `begins` in `append_one`
/// (`0015_guards.sql`), names are allowed that are none.
#[tokio::test]
async fn a_name_is_allowed_if_readers_can_split_it() {
    let Some((place, _owner, _name, mut raw)) = log_and_role().await else { return };
    sqlx::raw_sql("SET annals.appending = 'on'").execute(&mut raw).await.unwrap();
    let mut owner = place.raw().await;
    // It is the name that has to be refused, not a category of which there is no type.
    sqlx::raw_sql("ALTER TABLE types DROP CONSTRAINT types_plausible").execute(&mut owner).await.unwrap();
    let (n64, n65, k255, k256) = ("n".repeat(64), "n".repeat(65), "k".repeat(255), "ä".repeat(128));
    let names = [
        "order-1",
        "order-1-2",
        "o-/",
        "a/o-x",
        "a_1/o_2-\n",
        "order-ä ",
        "a-b/c-d",
        "order",
        "order-",
        "-1",
        "Order-1",
        "order 1-1",
        "1order-1",
        "/order-1",
        "a//o-1",
        "A/order-1",
        "a/-1",
        "ä-1",
        "\norder-1",
        "",
    ];
    let mut names = names.map(String::from).to_vec();
    for part in [&n64, &n65] {
        names.extend([format!("{part}-1"), format!("{part}/order-1")]);
    }
    names.extend([format!("order-{k255}"), format!("order-{k256}")]);
    for name in names {
        let is_one = name.parse::<annals::StreamId>().is_ok();
        let quoted = format!("'{}'", name.replace("order-1", "order-one"));
        let category = format!("split_part(split_part({quoted}, '-', 1), '/', -1)");
        let add = format!(
            "INSERT INTO types(category, name, schema_version) VALUES ({category}, 'Any', 1) ON CONFLICT DO NOTHING"
        );
        sqlx::raw_sql(AssertSqlSafe(add)).execute(&mut owner).await.unwrap();
        let id = format!("SELECT id::bigint FROM types WHERE category = {category} AND name = 'Any'");
        let id = number(&mut owner, &id).await;
        let begun =
            Next { begun: "{4}", names: "<names>", streams: "{4}", versions: "{1}", types: "<type>", ..NEXT };
        let sql = begun
            .sql()
            .replace("'<names>'", &format!("ARRAY[{quoted}]"))
            .replace("<type>", &format!("{{{id}}}"));
        assert_eq!(writes(&mut raw, &sql).await == Ok(true), is_one, "{name:?}");
        let one = one::One { of_type: id as i32, begins: quoted.leak(), ..one::FIRST };
        assert_eq!(writes(&mut raw, &one.sql()).await == Ok(true), is_one, "{name:?}");
    }
}
