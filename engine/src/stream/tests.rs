use super::*;
use proptest::prelude::*;

#[test]
fn a_name_that_is_no_stream_is_refused_with_the_reason() {
    for (text, says) in [
        ("order", "expected category-key"),
        ("", "expected category-key"),
        ("-x", "category is 0 bytes"),
        ("order-", "key is 0 bytes"),
        ("Order-1", "lower-case"),
        ("/order-1", "tenant is 0 bytes"),
        ("acme//order-1", "lower-case"),
        ("9a-1", "lower-case"),
        ("order-a\0b", "NUL"),
    ] {
        let error = text.parse::<StreamId>().unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn the_limits_hold_exactly() {
    assert!(StreamId::new("order", "k".repeat(KEY_BYTES_MAX)).is_ok());
    assert!(StreamId::new("order", "k".repeat(KEY_BYTES_MAX + 1)).is_err());
    assert!(StreamId::of(Some(&"t".repeat(NAME_BYTES_MAX)), &"c".repeat(NAME_BYTES_MAX), 1).is_ok());
    assert!(StreamId::new(&"c".repeat(NAME_BYTES_MAX + 1), 1).is_err());
}

proptest! {
    #[test]
    fn a_stream_id_reads_as_it_is_written(
        tenant in proptest::option::of("[a-z][a-z0-9_]{0,63}"),
        category in "[a-z][a-z0-9_]{0,63}",
        key in "[^\\x00]{1,60}",
    ) {
        let id = StreamId::of(tenant.as_deref(), &category, &key).unwrap();
        prop_assert_eq!(id.to_string().parse::<StreamId>().unwrap(), id.clone());
        prop_assert_eq!((id.tenant(), id.category(), id.key()), (tenant.as_deref(), &*category, &*key));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,400}") {
        if let Ok(id) = text.parse::<StreamId>() {
            prop_assert_eq!(id.as_str(), text);
        }
    }
}
