//! The canonical JSON of version 2 is that of JavaScript.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use proptest::prelude::*;
use saltmine_protocol::v2::canonical;
use serde_json::{Value, json};

proptest! {
    #[test]
    fn numbers_are_printed_shortest(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
        let text = canonical(&format!(r#"{{"a":{number:e}}}"#)).unwrap();
        let printed = text.strip_prefix(r#"{"a":"#).unwrap().strip_suffix('}').unwrap();
        prop_assert_eq!(printed.parse::<f64>().unwrap(), number);
        prop_assert_eq!(canonical(&text), Some(text.clone()));
    }

    #[test]
    fn objects_are_sorted_as_by_a_sorted_map(value in value()) {
        prop_assert_eq!(canonical(&json!({ "a": value }).to_string()), Some(json!({ "a": value }).to_string()));
    }
}

/// JSON whose canonical form `serde_json` writes too: names in ASCII that are no indices, and small integers.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~\u{a0}-\u{ff}\u{2028}\u{1f600}\t\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z_-]{1,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn canonical_json_is_that_of_javascript() {
    for (json, expected) in [
        (r#"{}"#, r#"{}"#),
        (r#" {"b":1 , "a":[ ] } "#, r#"{"a":[],"b":1}"#),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (
            r#"{"10":1,"9":1,"a":1,"01":1,"4294967294":1,"4294967295":1}"#,
            r#"{"9":1,"10":1,"4294967294":1,"01":1,"4294967295":1,"a":1}"#,
        ),
        (r#"{"\ud83d\ude00":1,"\uffee":2}"#, "{\"😀\":1,\"\u{ffee}\":2}"),
        (r#"{"a":[{"b":1,"2":1,"a":1}]}"#, r#"{"a":[{"2":1,"b":1,"a":1}]}"#),
        (
            r#"{"a":"\u0000\u0008\t\n\f\r\u001f\u007f\/\"\\\ud800\udc00\ud800"}"#,
            "{\"a\":\"\\u0000\\b\\t\\n\\f\\r\\u001f\u{7f}/\\\"\\\\\u{10000}\\ud800\"}",
        ),
        (
            r#"{"a":[-0,-0.0,1.0,0.1,1e21,1e20,123456789012345680000,1e-6,1e-7,1.5e-7,-5e-324,1.7976931348623157e308]}"#,
            r#"{"a":[0,0,1,0.1,1e+21,100000000000000000000,123456789012345680000,0.000001,1e-7,1.5e-7,-5e-324,1.7976931348623157e+308]}"#,
        ),
        (
            r#"{"a":[0.30000000000000004,9007199254740993,100,12.5,1234567.125]}"#,
            r#"{"a":[0.30000000000000004,9007199254740992,100,12.5,1234567.125]}"#,
        ),
    ] {
        assert_eq!(canonical(json).as_deref(), Some(expected), "{json}");
    }
    let nested = |depth| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(canonical(&nested(63)).is_some());
    for json in
        ["", "[]", "1", "{", r#"{"a":1e400}"#, r#"{"a":01}"#, r#"{"a":1}x"#, &nested(64), &nested(5000)]
    {
        assert_eq!(canonical(json), None, "{json:.20}");
    }
}
