//! What a URL says, and what it may not say.

use super::*;

fn parse(url: &str) -> Result<PostgresOptions, UrlError> {
    url.parse()
}

#[test]
fn a_url_names_server_database_and_schema() {
    let options =
        parse("postgres://shop@db:6432/orders?schema=eu&unsafe-durability&pooler=transaction").unwrap();
    assert_eq!(options.to_string(), "postgres://shop@db:6432/orders?schema=eu");
    assert!(options.unsafe_durability);
    assert_eq!(options.pooler, Pooler::Transaction);
    let plain = parse("postgresql://shop@db/orders").unwrap();
    assert_eq!((plain.schema.as_str(), plain.unsafe_durability), ("annals", false));
}

#[test]
fn what_names_no_database_is_refused_and_says_why() {
    for (url, reason) in [
        ("sqlite:shop.db", "does not begin with postgres://"),
        ("postgres://db/shop?schema=a\"b", "names no schema"),
        ("postgres://db/shop?pooler=session", "can only be transaction"),
        ("postgres://db/shop?fsync=off", "no option \"fsync\""),
        ("postgres://db:port/shop", "cannot be read"),
        ("postgres://db/shop?port=any", "is no number"),
        ("postgres://u:a#b@db/shop", "%23 for #"),
        ("postgres://u:a?b@db/shop", "%3F for ?"),
        ("postgres://db/shop?sslmode=prefer", "in the clear"),
        ("postgres://db/shop?sslmode=allow", "sslmode=disable"),
        ("postgres://db/shop?sslmode=verify_full", "no such sslmode"),
        ("postgres://db/shop?sslrootcert=/nonexistent/ca", "sslrootcert /nonexistent/ca cannot be read"),
        ("postgres://db/shop?sslrootcert=/dev/null", "sslrootcert /dev/null holds no PEM"),
        ("postgres://db/shop?password-file=/nonexistent/p", "/nonexistent/p cannot be read"),
    ] {
        let error = parse(url).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_password_is_never_shown() {
    let options = parse("postgres://shop:hunter2@db/orders?password=hunter2").unwrap();
    assert!(!format!("{options} {options:?}").contains("hunter2"));
    for url in [
        "postgres://shop:hunter2@db:port/x",
        "postgres://db/x?passwrd=hunter2",
        "hunter2",
        "postgres://a:b?hunter2@db/x",
    ] {
        let error = parse(url).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
#[test]
fn a_server_elsewhere_is_spoken_to_with_tls_unless_the_url_says_otherwise() {
    for (url, mode) in [
        ("postgres://shop@db/orders", "VerifyFull"),
        ("postgres://shop@192.0.2.7/orders", "VerifyFull"),
        ("postgres://shop@localhost.example/orders", "VerifyFull"),
        ("postgres://shop@127.0.0.1/orders?host=db", "VerifyFull"),
        ("postgres://shop@db/orders?sslmode=disable", "Disable"),
        ("postgres://shop@db/orders?sslmode=require", "Require"),
        ("postgres://shop@db/orders?sslmode=verify-ca", "VerifyCa"),
        ("postgres://shop@127.0.0.1/orders", "Prefer"),
        ("postgres://shop@[::1]/orders", "Prefer"),
        ("postgres://shop@localhost/orders", "Prefer"),
        ("postgres://shop@%2Frun%2Fpostgresql/orders", "Prefer"),
        ("postgres:///orders?host=/run/postgresql", "Prefer"),
    ] {
        assert_eq!(format!("{:?}", parse(url).unwrap().connect.get_ssl_mode()), mode, "{url}");
    }
}

#[test]
fn whoever_names_who_signs_wants_certificates_checked() {
    let root = std::env::temp_dir().join(format!("annals url+{}.pem", std::process::id()));
    std::fs::write(&root, "-----BEGIN CERTIFICATE-----").unwrap();
    let named = root.to_str().unwrap().replace('+', "%2B").replace(' ', "+");
    let url = format!("postgres://shop@localhost/orders?sslrootcert={named}");
    assert_eq!(format!("{:?}", parse(&url).unwrap().connect.get_ssl_mode()), "VerifyFull");
    for mode in ["require", "disable"] {
        let error = parse(&format!("{url}&sslmode={mode}")).unwrap_err().to_string();
        assert!(error.contains("would count for nothing"), "{error}");
    }
    std::fs::remove_file(root).unwrap();
}

#[test]
fn a_socket_is_shown_as_it_is_written() {
    let options = parse("postgres:///orders?host=/run/postgresql&port=5433&user=shop").unwrap();
    let shown = "postgres:///orders?host=/run/postgresql&port=5433&user=shop&schema=annals";
    assert_eq!(options.to_string(), shown);
    assert_eq!(parse(shown).unwrap().to_string(), shown);
}

#[test]
fn an_empty_password_file_is_refused() {
    let error = parse("postgres://db/shop?password-file=%2Fdev%2Fnull").unwrap_err().to_string();
    assert!(error.contains("/dev/null begins with an empty line"), "{error}");
}
