//! Which crate may depend on which. Cargo refuses circles; this refuses the arrows that merely should not be.

use crate::workspace::Package;

/// A member and what it may use, in its tests too. A new member needs a line here.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    /// Crates from elsewhere that its library must not know.
    must_not_know: &'static [&'static [&'static str]],
}

const ENGINE: &str = "annals";
const AGGREGATES: &str = "northwind-aggregates";
const PROJECTIONS: &str = "northwind-projections";
const CLI: &str = "annals-cli";
const SERVICE: &str = "northwind";

/// Drivers: what a store is for, so only a store has one.
const DRIVERS: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "sqlx",
    "tokio-postgres",
    "postgres",
    "rdkafka",
    "kurrentdb",
    "eventstore",
    "azure_data_cosmos",
];
/// What waits, draws or reaches out, which pure crates do not.
const EFFECTS: &[&str] = &["tokio", "async-trait", "futures", "rand", "reqwest", "hyper", "axum"];

const SQLITE: &str = "annals-sqlite";
const POSTGRES: &str = "annals-postgres";
const KAFKA: &str = "annals-kafka";
/// Servers to test with: for what tests and measures.
const SERVICES: &str = "annals-services";
const BELOW_SERVICE: &[&str] = &[ENGINE, AGGREGATES, PROJECTIONS, SQLITE, POSTGRES, KAFKA, CLI, SERVICES];
const EVERYTHING: &[&str] =
    &[ENGINE, AGGREGATES, PROJECTIONS, SQLITE, POSTGRES, KAFKA, CLI, SERVICE, SERVICES];

const ROOMS: &[Room] = &[
    Room { name: ENGINE, may_use: &[], must_not_know: &[DRIVERS] },
    Room { name: AGGREGATES, may_use: &[ENGINE], must_not_know: &[DRIVERS, EFFECTS] },
    Room { name: PROJECTIONS, may_use: &[ENGINE, AGGREGATES], must_not_know: &[DRIVERS, EFFECTS] },
    // Stores know the engine and not each other.
    Room { name: SQLITE, may_use: &[ENGINE], must_not_know: &[] },
    Room { name: POSTGRES, may_use: &[ENGINE, SERVICES], must_not_know: &[] },
    Room { name: KAFKA, may_use: &[ENGINE, SERVICES], must_not_know: &[] },
    Room { name: CLI, may_use: &[ENGINE, SQLITE, POSTGRES, KAFKA, SERVICES], must_not_know: &[] },
    Room { name: SERVICE, may_use: BELOW_SERVICE, must_not_know: &[] },
    Room { name: "annals-tests", may_use: EVERYTHING, must_not_know: &[] },
    Room { name: "annals-benches", may_use: EVERYTHING, must_not_know: &[] },
    Room { name: SERVICES, may_use: &[], must_not_know: &[] },
    Room { name: "xtask", may_use: &[SERVICES], must_not_know: &[] },
];

/// Arrows that are not in the table.
pub(super) fn complaints(members: &[Package]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        let Some(room) = ROOMS.iter().find(|room| room.name == member.name) else {
            complaints.push(format!(
                "{} has no place in xtask/src/rules/arrows.rs; say there what it may use",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            let is_dev = dependency.kind.as_deref() == Some("dev");
            let ours = members.iter().any(|other| other.name == name);
            // A crate's own tests may use it with more features.
            let itself = is_dev && name == room.name;
            if ours && !itself && !room.may_use.contains(&name) {
                complaints
                    .push(format!("{} depends on {name}, and may use only {:?}", room.name, room.may_use));
            }
            if !is_dev && room.must_not_know.iter().any(|list| list.contains(&name)) {
                complaints
                    .push(format!("{} depends on {name}, which only stores and programs may", room.name));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn members(arrows: &[(&str, &str, Option<&str>)]) -> Vec<Package> {
        let package = |name: &str| Package {
            name: name.into(),
            version: "0.1.0".into(),
            license: None,
            license_file: None,
            manifest_path: "Cargo.toml".into(),
            source: None,
            targets: vec![],
            dependencies: arrows
                .iter()
                .filter(|(from, ..)| *from == name)
                .map(|(_, to, kind)| Dependency {
                    name: (*to).into(),
                    kind: kind.map(str::to_owned),
                    optional: false,
                })
                .collect(),
        };
        ROOMS.iter().map(|room| package(room.name)).chain([package("annals-stranger")]).collect()
    }

    fn about(arrow: (&str, &str, Option<&str>)) -> Vec<String> {
        // The member that has no room complains in every case.
        let mut all = complaints(&members(&[arrow]));
        all.retain(|complaint| !complaint.starts_with("annals-stranger"));
        all
    }

    #[test]
    fn arrows_that_point_down_are_fine() {
        assert!(about((AGGREGATES, ENGINE, None)).is_empty());
        assert!(about((PROJECTIONS, AGGREGATES, None)).is_empty());
        assert!(about((SQLITE, "rusqlite", None)).is_empty());
        assert!(about((ENGINE, ENGINE, Some("dev"))).is_empty());
        assert!(about((AGGREGATES, "tokio", Some("dev"))).is_empty());
    }

    #[test]
    fn every_other_arrow_is_refused() {
        assert_eq!(about((ENGINE, AGGREGATES, None)).len(), 1);
        assert_eq!(about((ENGINE, SQLITE, Some("dev"))).len(), 1);
        assert_eq!(about((ENGINE, "sqlx", None)).len(), 1);
        assert_eq!(about((AGGREGATES, PROJECTIONS, Some("dev"))).len(), 1);
        assert_eq!(about((AGGREGATES, "tokio", None)).len(), 1);
        assert_eq!(about((PROJECTIONS, SQLITE, None)).len(), 1);
        assert_eq!(about((SQLITE, POSTGRES, None)).len(), 1);
        assert_eq!(about((SQLITE, AGGREGATES, Some("build"))).len(), 1);
        assert_eq!(about((CLI, SERVICE, None)).len(), 1);
        assert_eq!(about((CLI, AGGREGATES, None)).len(), 1);
        assert_eq!(about(("annals-tests", "annals-benches", None)).len(), 1);
    }

    #[test]
    fn a_member_that_the_table_does_not_know_is_named() {
        let all = complaints(&members(&[]));
        assert!(matches!(&all[..], [only] if only.starts_with("annals-stranger has no place")), "{all:?}");
    }
}
