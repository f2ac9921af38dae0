//! Decimal prices as integer minor units, without a detour through floats.

/// The minor units of a price with at most two decimals: `2.55` are 255, `3` are 300.
///
/// Exact, or refused with the reason; never rounded.
pub(super) fn minor_units(text: &str) -> Result<i64, String> {
    let (digits, negative) = text.strip_prefix('-').map_or((text, false), |digits| (digits, true));
    let (pounds, pence) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if pounds.is_empty() || !plain(pounds) || !plain(pence) || (pence.is_empty() && digits.contains('.')) {
        return Err(format!("price {text:?} is not a decimal number, as 2.55"));
    }
    // Zeros behind the second decimal say nothing, other digits would be lost.
    let pence = pence.trim_end_matches('0');
    if pence.len() > 2 {
        return Err(format!("price {text} has more than two decimals"));
    }
    let minor = format!("{pounds}{pence:0<2}").parse::<i64>();
    let minor = minor.map_err(|_| format!("price {text} is more than an amount can hold"))?;
    Ok(if negative { -minor } else { minor })
}

#[cfg(test)]
mod tests {
    use super::minor_units;

    #[test]
    fn prices_are_exact() {
        for (text, minor) in [
            ("0", 0),
            ("2.55", 255),
            ("3", 300),
            ("0.1", 10),
            ("0.07", 7),
            ("1.29000", 129),
            ("-4.5", -450),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(minor_units(text), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused_with_the_reason() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "1,50", "£2", "NaN", "+1", "1.2.3", "٣"] {
            assert!(minor_units(text).unwrap_err().contains("not a decimal number"), "{text}");
        }
        assert_eq!(minor_units("0.001").unwrap_err(), "price 0.001 has more than two decimals");
        assert!(minor_units("92233720368547758.08").unwrap_err().contains("more than an amount"));
    }
}
