use super::AllowedDomain;

fn allows(domain: &str, origin: &str) -> bool {
    domain.parse::<AllowedDomain>().unwrap().allows(origin)
}

#[test]
fn a_star_is_any_origin() {
    for origin in ["https://docs.example.com", "http://localhost:3000", "null", "chrome-extension://abcdef"] {
        assert!(allows("*", origin), "{origin}");
    }
    assert!(!allows("*", ""), "nothing is no origin");
}

#[test]
fn the_opaque_origin_is_nobody_in_particular() {
    for domain in ["null", "docs.example.com", "*.example.com", "localhost"] {
        assert!(!allows(domain, "null"), "{domain}");
    }
}

#[test]
fn a_host_is_that_host_on_any_port() {
    for origin in [
        "https://docs.example.com",
        "http://docs.example.com",
        "https://docs.example.com:8443",
        "HTTPS://DOCS.EXAMPLE.COM",
        "https://Docs.Example.Com:443",
    ] {
        assert!(allows("docs.example.com", origin), "{origin}");
        assert!(allows("DOCS.example.COM", origin), "{origin}");
    }
    for origin in ["https://example.com", "https://a.docs.example.com", "https://docs.example.org"] {
        assert!(!allows("docs.example.com", origin), "{origin}");
    }
}

#[test]
fn a_port_is_that_port_only() {
    assert!(allows("docs.example.com:8443", "https://docs.example.com:8443"));
    assert!(!allows("docs.example.com:8443", "https://docs.example.com"));
    assert!(!allows("docs.example.com:8443", "https://docs.example.com:84430"));
    assert!(allows("docs.example.com:443", "https://docs.example.com"), "the port of https");
    assert!(!allows("docs.example.com:443", "http://docs.example.com"), "the port of http is another");
    assert!(allows("docs.example.com:80", "http://docs.example.com"));
}

#[test]
fn a_wildcard_is_the_domain_and_all_below() {
    for origin in ["https://example.com", "https://docs.example.com:1", "https://a.b.C.Example.com"] {
        assert!(allows("*.example.com", origin), "{origin}");
    }
    for origin in [
        "https://evilexample.com",
        "https://example.com.evil.com",
        "https://docs.example.org",
        "https://com",
        "https://.example.com",
        "https://a..example.com",
    ] {
        assert!(!allows("*.example.com", origin), "{origin}");
    }
    assert!(allows("*.example.com:8443", "https://docs.example.com:8443"));
    assert!(!allows("*.example.com:8443", "https://docs.example.com"));
}

#[test]
fn look_alikes_are_refused() {
    for origin in [
        "https://docs.example.com.evil.com",
        "https://evil.com#docs.example.com",
        "https://evil.com/docs.example.com",
        "https://evil.com?docs.example.com",
        "https://evil.com\\docs.example.com",
        "https://evil.com\\.docs.example.com",
        "https://docs.example.com@evil.com",
        "https://evil.com@docs.example.com",
        "https://user:password@docs.example.com",
        "https://docs.example.com:443@evil.com",
        "https://docs.example.com.",
        "https://docs.example.com./",
        "https://docs.example.com/",
        "https://docs.example.com?",
        "https://docs.example.com#",
        "https://docs.example.com:",
        "https://docs.example.com:0x50",
        "https://docs.example.com:99999",
        "https://docs.example.com:-1",
        "https://docs%2eexample.com",
        "https://docs.example.com%00.evil.com",
        "https://docs.example.com\t",
        " https://docs.example.com",
        "https://docs.exam\tple.com",
        "https:docs.example.com",
        "https:/docs.example.com",
        "https:///docs.example.com",
        "//docs.example.com",
        "docs.example.com",
        "ftp://docs.example.com",
        "file://docs.example.com",
        "javascript://docs.example.com",
        "https://docs.example.com, https://evil.com",
        "https://docs.example.com https://evil.com",
        "https://docs\u{3002}example.com",
        "https://ｄocs.example.com",
        "",
        "https://",
        "null",
    ] {
        assert!(!allows("docs.example.com", origin), "{origin}");
    }
}

#[test]
fn addresses_are_hosts_too() {
    assert!(allows("127.0.0.1", "http://127.0.0.1:3000"));
    assert!(allows("localhost", "http://localhost:5173"));
    assert!(allows("[::1]", "http://[::1]:3000"));
    assert!(allows("[::1]:3000", "http://[::1]:3000"));
    assert!(!allows("[::1]:3000", "http://[::1]"));
    for other_spelling in ["http://0x7f.1", "http://2130706433", "http://127.1", "http://017700000001"] {
        assert!(!allows("127.0.0.1", other_spelling), "{other_spelling}");
    }
    assert!(!allows("[::1]", "http://[0:0:0:0:0:0:0:1]"));
}

/// A browser sends an international name in its ASCII form; an owner may write either.
#[test]
fn international_names_have_one_ascii_form() {
    for domain in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"] {
        assert!(allows(domain, "https://xn--bcher-kva.example"), "{domain}");
    }
    assert!(allows("*.bücher.example", "https://docs.xn--bcher-kva.example"));
    assert!(!allows("bücher.example", "https://bucher.example"));
    // The second is written with a Cyrillic `а`.
    assert!(!allows("paypal.example", "https://xn--pypal-4ve.example"));
}

#[test]
fn what_is_no_domain_is_refused() {
    for text in [
        "",
        " ",
        "**",
        "*.",
        "*.*",
        "*example.com",
        "*.*.example.com",
        "docs.*.com",
        "*:8080",
        "https://docs.example.com",
        "docs.example.com/",
        "docs.example.com/path",
        "docs.example.com?",
        "docs.example.com#",
        "user@docs.example.com",
        "docs.example.com:",
        "docs.example.com:0",
        "docs.example.com:+80",
        "docs.example.com:http",
        "docs.example.com:65536",
        "docs.example.com:80:80",
        "docs.example.com.",
        "docs..example.com",
        ".example.com",
        " docs.example.com",
        "docs example.com",
        "docs.exam\tple.com",
        "docs%2eexample.com",
        "docs.example.com,evil.com",
        "*.127.0.0.1",
        "*.[::1]",
        "::1",
        "[::1",
        "[::g]",
    ] {
        assert!(text.parse::<AllowedDomain>().is_err(), "{text}");
    }
    assert!("a".repeat(64).parse::<AllowedDomain>().is_err());
    assert!(vec!["a"; 128].join(".").parse::<AllowedDomain>().is_err());
}

#[test]
fn it_is_written_as_it_was_read() {
    for text in ["*", "*.Example.com", "bücher.example", "localhost:3000"] {
        let domain: AllowedDomain = text.parse().unwrap();
        assert_eq!(domain.to_string(), text);
        let json = serde_json::to_string(&domain).unwrap();
        assert_eq!(serde_json::from_str::<AllowedDomain>(&json).unwrap(), domain);
    }
    assert!(serde_json::from_str::<AllowedDomain>("\"https://example.com\"").is_err());
}
