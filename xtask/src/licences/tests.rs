use super::*;

fn rules() -> DenyToml {
    let text = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Unicode-3.0"]
        exceptions = [{ crate = "special", allow = ["MPL-2.0"] }]
        [bans]
        multiple-versions = "warn"
        deny = [{ crate = "openssl-sys", wrappers = ["wrapper"], reason = "not here" }]
        [sources]
        unknown-registry = "deny"
        unknown-git = "deny"
        allow-git = ["https://example.org/good"]
    "#;
    DenyToml::parse(text).unwrap()
}

fn package(name: &str, license: Option<&str>, source: &str) -> Package {
    Package {
        name: name.into(),
        version: "1.0.0".into(),
        license: license.map(str::to_owned),
        license_file: None,
        manifest_path: "Cargo.toml".into(),
        source: Some(source.into()),
        dependencies: vec![],
        targets: vec![],
    }
}

fn licensed(license: &str) -> usize {
    licence_complaints(&[package("a", Some(license), "")], &rules()).unwrap().len()
}

#[test]
fn allowed_licences_pass() {
    let allowed = [
        "MIT",
        "MIT/Apache-2.0",
        "MIT OR GPL-3.0-only",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 OR MIT",
    ];
    for license in allowed {
        assert_eq!(licensed(license), 0, "{license}");
    }
}

#[test]
fn other_licences_do_not() {
    for license in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MPL-2.0", "do what you want"] {
        assert_eq!(licensed(license), 1, "{license}");
    }
    assert_eq!(licence_complaints(&[package("a", None, "")], &rules()).unwrap().len(), 1);
}

#[test]
fn the_text_of_a_licence_is_as_good_as_its_name() {
    let manifest_path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let of = |file: &str| Package {
        license_file: Some(file.into()),
        manifest_path: manifest_path.clone(),
        ..package("a", None, "")
    };
    assert!(licence_complaints(&[of("LICENSE-APACHE")], &rules()).unwrap().is_empty());
    assert_eq!(licence_complaints(&[of("README.md"), of("nowhere")], &rules()).unwrap().len(), 2);
}

#[test]
fn an_exception_is_for_one_crate() {
    let special = [package("special", Some("MPL-2.0"), "")];
    assert!(licence_complaints(&special, &rules()).unwrap().is_empty());
}

#[test]
fn a_misspelt_licence_in_the_list_is_an_error() {
    let mut rules = rules();
    rules.licenses.allow.push("Apache-3".into());
    assert!(licence_complaints(&[], &rules).is_err());
}

#[test]
fn foreign_sources_and_banned_crates_are_refused() {
    let crates_io = format!("registry+{CRATES_IO}");
    let complaints = |package| source_complaints(&[package], &rules()).len();
    assert_eq!(complaints(package("a", None, &crates_io)), 0);
    assert_eq!(complaints(package("a", None, "git+https://example.org/good?rev=1#1")), 0);
    assert_eq!(complaints(package("a", None, "registry+https://example.org/index")), 1);
    assert_eq!(complaints(package("a", None, "git+https://example.org/bad")), 1);
    assert_eq!(complaints(package("openssl-sys", None, &crates_io)), 1);
}

#[test]
fn a_banned_crate_may_be_used_by_those_named() {
    let uses = |name: &str, optional| {
        let dependency = Dependency { name: "openssl-sys".into(), kind: None, optional };
        Package { dependencies: vec![dependency], ..package(name, None, "") }
    };
    let ours = |user: &[Package]| {
        let banned = Package { source: None, ..package("openssl-sys", None, "") };
        let users = user.iter().map(|user| Package { source: None, ..user.clone() });
        source_complaints(&users.chain([banned]).collect::<Vec<_>>(), &rules()).len()
    };
    assert_eq!(ours(&[uses("wrapper", true)]), 0);
    assert_eq!(ours(&[uses("wrapper", false), uses("other", true)]), 0);
    assert_eq!(ours(&[uses("wrapper", false), uses("other", false)]), 1);
    assert_eq!(ours(&[uses("other", true)]), 1);
}

#[test]
fn two_versions_of_a_crate_are_seen() {
    let packages = [package("a", None, ""), package("b", None, ""), package("a", None, "")];
    assert_eq!(duplicates(&packages), ["a"]);
}

#[test]
fn our_own_deny_toml_can_be_read() {
    let rules = DenyToml::parse(include_str!("../../../deny.toml")).unwrap();
    assert!(!licensees(&rules.licenses.allow).unwrap().is_empty());
    assert_eq!(rules.sources.unknown_registry, Level::Deny);
}
