use super::{plan::Command, *};
use annals::CommandId;
use northwind_aggregates::{OrderCommand, ReturnCommand, StockCommand};
use std::path::Path;

const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

fn table(lines: &str) -> Result<Table, FileError> {
    Table::parse(Path::new("week.csv"), &format!("{HEADER}{lines}"))
}

fn plan(lines: &str) -> Plan {
    Plan::of(&table(lines).unwrap())
}

fn reasons(plan: &Plan) -> Vec<(u64, &str)> {
    plan.refused.iter().map(|refused| (refused.line, refused.reason.as_str())).collect()
}

#[test]
fn an_invoice_with_goods_is_an_order_with_its_charges() {
    let plan = plan(
        "536365,85123a,HEART,6,2010-12-01T08:26:00Z,2.55,17850,United Kingdom\n\
         536365,POST,POSTAGE,2,2010-12-01T08:27:00Z,1.5,17850,United Kingdom\n",
    );
    let [step] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!((step.invoice.as_str(), &step.lines[..], step.charges), ("536365", &[2, 3][..], 1));
    let Command::Place(OrderCommand::Place { customer, lines, charges, .. }) = &step.command else {
        panic!("{step:?}")
    };
    assert_eq!(customer.as_deref(), Some("17850"));
    assert_eq!((lines[0].sku.as_str(), lines[0].quantity, lines[0].unit_price_minor), ("85123A", 6, 255));
    assert_eq!((charges[0].line, charges[0].amount_minor), (2, 300));
    assert_eq!(plan.articles.len(), 1);
}

#[test]
fn an_invoice_that_begins_with_c_is_a_return() {
    let plan = plan(
        "C5,85123A,HEART,-6,2010-12-01T08:26:00Z,2.55,,\n\
         C5,POST,POSTAGE,-1,2010-12-01T08:26:00Z,3,,\n\
         C5,85123A,HEART,1,2010-12-01T08:26:00Z,2.55,,\n",
    );
    let [step] = &plan.steps[..] else { panic!("{plan:?}") };
    let Command::Accept(ReturnCommand::Accept { customer, lines, charges, .. }) = &step.command else {
        panic!("{step:?}")
    };
    assert_eq!((customer, lines[0].quantity, charges[0].amount_minor), (&None, 6, 300));
    assert_eq!(reasons(&plan), [(4, "quantity 1 is positive, but invoice C5 is a return")]);
}

#[test]
fn goods_in_negative_quantity_without_a_c_are_stock_adjustments() {
    let plan = plan(
        "9,85123A,damaged,-3,2010-12-01T08:26:00Z,0,,\n\
         9,85123A,,-3,2010-12-01T08:26:00Z,0,,\n\
         9,71053,LANTERN,1,2010-12-01T08:26:00Z,1,,\n",
    );
    assert_eq!(plan.steps.iter().map(|step| &step.lines[..]).collect::<Vec<_>>(), [[2], [3], [4]]);
    let Command::Adjust(sku, command) = &plan.steps[0].command else { panic!() };
    assert_eq!(sku.as_str(), "85123A");
    assert_eq!(command, &StockCommand::Adjust { delta: -3, reason: "damaged".into() });
}

fn ids(lines: &str) -> Vec<CommandId> {
    plan(lines).steps.iter().map(|step| step.id).collect()
}

/// Taking any part out of what the id is made of makes its line fail.
#[test]
fn whatever_an_invoice_says_otherwise_makes_another_command() {
    let said =
        "1,85123A,HEART,6,2010-12-01T08:26:00Z,2.55,17850,UK\n1,POST,POSTAGE,2,2010-12-01T08:26:00Z,1,,\n";
    let id = ids(said);
    assert_eq!((id.len(), &id), (1, &ids(said)));
    for (part, other) in [
        ("85123A", "85123B"),
        ("HEART", "HEARTS"),
        (",6,", ",7,"),
        ("2.55", "2.56"),
        ("17850", "17851"),
        ("UK", "France"),
        ("T08:26:00Z,2.55", "T08:26:00.0001Z,2.55"),
        ("POST,", "POSTE,"),
        ("POSTAGE", "postage"),
        (",2,", ",3,"),
        (",1,,", ",1.01,,"),
        ("1,POST", "1,71053,LANTERN,1,2010-12-01T08:26:00Z,1,,\n1,POST"),
    ] {
        assert!(said.contains(part), "{part}");
        assert_ne!(ids(&said.replace(part, other)), id, "{other}");
    }
    let returned = ids(&said.replace("1,85123A,HEART,6", "C1,85123A,HEART,-6"));
    assert_ne!(returned[0], id[0]);
}

/// The ids of files that were imported must never change.
#[test]
fn the_ids_of_an_invoice_are_the_same_in_every_build() {
    let ids = ids("1,85123A,HEART,6,2010-12-01T08:26:00Z,2.55,17850,UK\n\
         1,POST,POSTAGE,2,2010-12-01T08:26:00Z,1,17850,UK\n\
         1,85123A,damaged,-1,2010-12-01T08:26:00Z,0,17850,UK\n\
         C1,85123A,HEART,-6,2010-12-01T08:26:00Z,2.55,17850,UK\n");
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(
        ids,
        [
            "012ca109-c1c0-84ed-ad62-09f817570f23",
            "012ca109-c1c0-8265-a06d-9f418894d546",
            "012ca109-c1c0-8d7c-8c4b-cebe8688e6ba",
        ]
    );
}

#[test]
fn a_stock_adjustment_is_recognised_by_its_line_wherever_it_stands() {
    let (damaged, lost) =
        ("9,85123A,damaged,-3,2010-12-01T08:26:00Z,0,,\n", "9,71053,lost,-1,2010-12-01T08:27:00Z,0,,\n");
    let both = ids(&format!("{damaged}{lost}"));
    assert_eq!(ids(&format!("{lost}{damaged}")), [both[1], both[0]]);
    assert_eq!(ids(lost), [both[1]]);
    // Two that say the same are two, and the first of them is the one that was known.
    let twice = ids(&format!("{damaged}{damaged}"));
    assert_eq!(twice[0], both[0]);
    assert_ne!(twice[0], twice[1]);
    for (part, other) in
        [("9,", "8,"), ("85123A", "85123B"), ("damaged", "broken"), ("-3", "-4"), (":26:", ":25:")]
    {
        assert_ne!(ids(&damaged.replacen(part, other, 1)), [both[0]], "{other}");
    }
}

#[test]
fn a_line_that_cannot_be_taken_is_refused_and_the_others_go_in() {
    let long = "x".repeat(256);
    let plan = plan(&format!(
        "1,85123A,ok,1,2010-12-01T08:26:00Z,2.55,,\n\
         1,85123A,zero,0,2010-12-01T08:26:00Z,2.55,,\n\
         1,85123A,half,0.5,2010-12-01T08:26:00Z,2.55,,\n\
         1,85123A,mill,1,2010-12-01T08:26:00Z,2.555,,\n\
         1,85123A,negative,1,2010-12-01T08:26:00Z,-2.55,,\n\
         1,85123A,date,1,1.12.2010,2.55,,\n\
         1,,code,1,2010-12-01T08:26:00Z,2.55,,\n\
         ,85123A,invoice,1,2010-12-01T08:26:00Z,2.55,,\n\
         1,85123A,short,1\n\
         1,85123A,{long},1,2010-12-01T08:26:00Z,2.55,,\n\
         1,85123A,much,4294967296,2010-12-01T08:26:00Z,2.55,,\n\
         2,BANK CHARGES,alone,1,2010-12-01T08:26:00Z,15,,\n"
    ));
    let date = "date \"1.12.2010\" is no time as 2010-12-01T08:26:00Z, or in UTC as 2010-12-01 08:26:00 or 12/1/2010 8:26";
    assert_eq!(
        reasons(&plan),
        [
            (3, "the quantity is 0"),
            (4, "quantity \"0.5\" is not a whole number that an amount can hold"),
            (5, "price 2.555 has more than two decimals"),
            (6, "price -2.55 is below 0"),
            (7, date),
            (8, "the stock code is empty"),
            (9, "the invoice number is empty"),
            (10, "it has 4 fields, the header has 8"),
            (11, "description is 256 bytes long, at most 255 are allowed"),
            (12, "quantity 4294967296 is more than a line can hold"),
            (13, "invoice 2 has no goods, so there is no order to put the charge on"),
        ]
    );
    assert_eq!((plan.lines, plan.commands()), (12, 1));
}

#[test]
fn an_order_that_the_domain_refuses_as_a_whole_refuses_each_of_its_lines() {
    let lines = "1,85123A,,1,2010-12-01T08:26:00Z,1,,\n".repeat(1_001);
    let plan = plan(&lines);
    assert_eq!((plan.refused.len(), plan.commands()), (1_001, 0));
    assert_eq!(plan.refused[0].reason, "1001 lines were given, at most 1000 are allowed");
}

#[test]
fn quoted_fields_may_hold_commas_quotes_and_line_ends() {
    let plan = plan(
        "1,85123A,\"12\"\" ruler, blue\",1,2010-12-01T08:26:00Z,1,,\n\
         1,85123A,\"two\nlines\",1,2010-12-01T08:26:00Z,1,,\n\
         1,85123A,after,0,2010-12-01T08:26:00Z,1,,\n",
    );
    let Command::Place(OrderCommand::Place { lines, .. }) = &plan.steps[0].command else { panic!() };
    assert_eq!(lines[0].description, "12\" ruler, blue");
    assert_eq!(plan.refused.iter().map(|refused| refused.line).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn a_file_that_is_no_table_of_sales_is_refused_with_file_line_and_reason() {
    let refused = |text: &str| Table::parse(Path::new("week.csv"), text).unwrap_err().to_string();
    assert_eq!(refused(" \n"), "week.csv is empty: expected a header and lines of sales");
    assert_eq!(refused(HEADER), "week.csv has only a header: there is nothing to import after line 1");
    assert_eq!(
        refused("InvoiceNo;StockCode\n"),
        "week.csv, line 1: the column InvoiceNo is missing; found: InvoiceNo;StockCode"
    );
    assert_eq!(refused(&format!("Country,{HEADER}")), "week.csv, line 1: the column Country is there twice");
    // Control: without the line that is added at the end, the quote swallows the lines behind it in silence.
    assert_eq!(
        refused(&format!("{HEADER}1,85123A,ok,1,,,,\n1,85123A,\"open,1,,,,\n1,85123A,ok,1,,,,\n")),
        "week.csv is not CSV: line 3 opens a quote that is never closed"
    );
}

#[test]
fn columns_are_found_in_any_order_and_others_left_alone() {
    let text = "Country,CustomerID,Till,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo\r\n\
                France,12,7,1.5,2010-12-01T08:26:00Z,2,HEART,1a,900\r\n";
    let plan = Plan::of(&Table::parse(Path::new("week.csv"), text).unwrap());
    let Command::Place(OrderCommand::Place { country, lines, .. }) = &plan.steps[0].command else { panic!() };
    assert_eq!((country.as_deref(), lines[0].sku.as_str()), (Some("France"), "1A"));
}

#[test]
fn a_line_has_the_number_that_an_editor_shows() {
    let lines =
        ["1,85123A,HEART,x,,,,", "", "2,85123A,HEART,y,,,,", "", "", "3,\"A\nB\",HEART,z,,,,", "4,,,,,,,"];
    for end in ["\n", "\r\n"] {
        let text = format!("{}{end}", lines.join(end));
        let numbers: Vec<u64> = plan(&text).refused.iter().map(|refused| refused.line).collect();
        assert_eq!(numbers, [2, 4, 7, 9], "{end:?}");
    }
    let crlf = HEADER.replace('\n', "\r\n\r\n\r\n") + "1,85123A,HEART,x,,,,\r\n";
    let table = Table::parse(Path::new("week.csv"), &crlf).unwrap();
    assert_eq!(Plan::of(&table).refused[0].line, 4);
}

#[test]
fn a_date_may_have_the_forms_that_the_data_set_is_handed_around_in() {
    for date in [
        "2010-12-01T08:26:00Z",
        "2010-12-01 08:26:00",
        "2010-12-01 08:26",
        "12/1/2010 8:26",
        "12/01/10 08:26",
    ] {
        let plan = plan(&format!("536365,85123A,HEART,6,{date},2.55,17850,\n"));
        let [step] = &plan.steps[..] else { panic!("{date}: {plan:?}") };
        let Command::Place(OrderCommand::Place { occurred_at, .. }) = &step.command else {
            panic!("{step:?}")
        };
        assert_eq!(occurred_at.to_rfc3339(), "2010-12-01T08:26:00+00:00", "{date}");
    }
    for date in ["", "2010-12-01", "13/1/2010 8:26", "1.12.2010 08:26"] {
        assert_eq!(plan(&format!("1,85123A,HEART,6,{date},2.55,,\n")).refused.len(), 1, "{date}");
    }
}
