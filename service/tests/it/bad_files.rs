//! A file that cannot be imported is named with the reason, and nothing is written.

use crate::program::Program;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

#[track_caller]
fn refused(file: &str, content: Option<&[u8]>, says: &[&str]) {
    let program = Program::new();
    if let Some(content) = content {
        program.write(file, content);
    }
    let before = program.files();
    for json in [&[][..], &["--json"]] {
        let ran = program.run(["import", file].into_iter().chain(json.iter().copied()));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        for text in says.iter().chain([&file, &"next"]) {
            assert!(ran.stderr.contains(text), "{text:?} in {ran:?}");
        }
    }
    assert_eq!(program.files(), before, "nothing was written");
}

#[test]
fn a_missing_file() {
    refused("missing.csv", None, &["cannot be read", "No such file"]);
}

#[test]
fn a_directory() {
    refused(".", None, &["no regular file"]);
}

#[test]
fn an_empty_file() {
    refused("empty.csv", Some(b""), &["is empty"]);
}

#[test]
fn only_a_header() {
    refused("header.csv", Some(HEADER.as_bytes()), &["only a header"]);
}

#[test]
fn a_missing_column() {
    let text = "InvoiceNo,StockCode,Quantity\n1,2,3\n";
    refused("column.csv", Some(text.as_bytes()), &["line 1", "the column Description is missing"]);
}

#[test]
fn no_csv() {
    refused("prose.csv", Some(b"once upon a time\nthere was a shop\n"), &["the column InvoiceNo is missing"]);
    refused("image.csv", Some(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), &["is not CSV", "line 3"]);
    let open = format!("{HEADER}1,85123A,\"never closed,1,2010-12-01T08:26:00Z,1,,\n");
    refused("quote.csv", Some(open.as_bytes()), &["line 2", "never closed"]);
}

#[test]
fn another_encoding() {
    let mut latin1 = format!("{HEADER}1,85123A,").into_bytes();
    latin1.extend(b"caf\xe9,1,2010-12-01T08:26:00Z,1,,\n");
    refused("latin1.csv", Some(&latin1), &["not UTF-8", "line 2", "0xe9", "save it as UTF-8"]);
}

#[test]
fn an_opening_stock_that_no_warehouse_holds() {
    let program = Program::new();
    program.write("week.csv", format!("{HEADER}1,85123A,,1,2010-12-01T08:26:00Z,1,,\n"));
    for pieces in ["-1", "1000000000000001", "many"] {
        let ran = program.run(["import", "week.csv", "--opening-stock", pieces]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    assert_eq!(program.files(), ["week.csv"]);
}
