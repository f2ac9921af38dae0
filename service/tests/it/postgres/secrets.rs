//! A password is taken from wherever it may stand, and printed nowhere.

use super::own::Own;
use crate::program::{Program, Ran};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

/// Each sign that means something in a URL, in a password file or to a shell.
const PASSWORD: &str = "hunter2:/?#@ %\\'";
const IN_URLS: &str = "hunter2%3A%2F%3F%23%40%20%25%5C%27";
const IN_PASSFILES: &str = r"hunter2\:/?#@ %\\'";

/// What no output may hold: the beginning of the password, however its end was written.
const TELLTALE: &str = "hunter";

/// Commands that work, whatever they are asked to print.
const EVERYTHING: &[&str] = &[
    "demo --orders 8 --skus 2 --writers 2",
    "check",
    "check --json",
    "lag",
    "projections --json",
    "streams",
    "query stock --json",
    "replay --all --diff",
    "parked list",
];

/// All that was printed so far.
#[derive(Default)]
struct Told(String);

impl Told {
    fn hear(&mut self, ran: &Ran) {
        self.0 = format!("{}\n{}\n{}", self.0, ran.stdout, ran.stderr);
    }
}

// Control, tried: with `without_password` in annals-cli giving the URL as it is, the next steps of the demo are found
// out.
#[test]
fn a_password_comes_from_anywhere_and_is_printed_nowhere() {
    let Some(own) = Own::running("secrets") else { return };
    let quoted = PASSWORD.replace('\'', "''");
    own.run(&format!(
        "CREATE ROLE clerk LOGIN PASSWORD '{quoted}'; GRANT CREATE ON DATABASE postgres TO clerk"
    ));
    let (program, mut told) = (Program::new(), Told::default());
    program.write("password", format!("{PASSWORD}\n"));
    program.write("passfile", format!("127.0.0.1:{}:postgres:clerk:{IN_PASSFILES}\n", own.port()));
    fs::set_permissions(program.dir().join("passfile"), Permissions::from_mode(0o600)).unwrap();
    let passfile = program.dir().join("passfile");

    let (plain, with_password) = (own.url_as("clerk"), own.url_as(&format!("clerk:{IN_URLS}")));
    let option = format!("{plain}?password={IN_URLS}");
    let file = format!("{plain}?password-file=password");
    let none: &[(&str, &str)] = &[];
    let variable = [("PGPASSWORD", PASSWORD)];
    let passfile = [("PGPASSFILE", passfile.to_str().unwrap())];
    for (url, environment) in
        [(&with_password, none), (&option, none), (&file, none), (&plain, &variable), (&plain, &passfile)]
    {
        let commands = if url == &with_password { EVERYTHING } else { &EVERYTHING[..2] };
        for command in commands {
            let ran = program.run_in(environment, command.split(' ').chain(["--store", url]));
            assert_eq!(ran.code, Some(0), "{url} {environment:?}: {ran:?}");
            told.hear(&ran);
        }
    }
    // Mixed, with what is told of read models.
    let mixed = ["--store", "sqlite:shop.db", "--read-models", &with_password];
    told.hear(&program.run(EVERYTHING[0].split(' ').chain(mixed)));
    // Without a password, and with wrong ones, in every place where it is read or echoed.
    let wrong = with_password.replace("hunter2", "hunter3");
    let addresses = [
        plain.clone(),
        wrong.clone(),
        format!("{plain}?password=hunter3"),
        format!("{plain}?pasword=hunter3"),
        format!("{plain}?PASSWORD=hunter3"),
        format!("{plain}?sslkey=&pass=hunter3"),
        with_password.replace("/postgres", "/nowhere"),
        with_password.replace(&own.port().to_string(), "1"),
        with_password.replace(&own.port().to_string(), "many"),
        with_password.replace("postgres://", "postgres:/"),
        with_password.replace("postgres://", "mysql://"),
        own.url_as(&format!("clerk:{PASSWORD}")),
    ];
    for url in &addresses {
        for stores in
            [&["--store", url] as &[&str], &["--store", url, "--json"], &["--read-models", url, "--json"]]
        {
            let ran = program.run(["lag"].iter().chain(stores).copied());
            assert_ne!(ran.code, Some(0), "{url}: {ran:?}");
            assert!(ran.stderr.contains("next"), "{url}: {ran:?}");
            told.hear(&ran);
        }
        told.hear(&program.run(["lag", &format!("--stroe={url}")]));
        told.hear(&program.run(["query", url]));
        told.hear(&program.run(["show", url]));
    }
    // The server goes away while somebody is at work.
    own.stop();
    told.hear(&program.run(["lag", "--store", &with_password]));
    let at = told
        .0
        .find(TELLTALE)
        .map(|at| told.0[at.saturating_sub(300)..].chars().take(600).collect::<String>());
    assert_eq!(at, None, "a password was printed");
    assert!(told.0.contains("clerk@127.0.0.1"), "the URL without it is: {}", told.0);
}
