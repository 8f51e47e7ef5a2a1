use url::Url;

/// The origins of a comma list or a JSON array, each once.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let mut origins = Vec::new();
    for origin in list(text)? {
        check(&origin)?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

fn list(text: &str) -> Result<Vec<String>, String> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|_| "is not a JSON array of texts".to_owned());
    }
    let pieces = text.split(',').map(str::trim).filter(|piece| !piece.is_empty());
    Ok(pieces.map(str::to_owned).collect())
}

/// Takes an origin only as browsers write it, because it is compared letter by letter.
fn check(origin: &str) -> Result<(), String> {
    if origin.contains('*') {
        return Err("has a wildcard".to_owned());
    }
    if origin == "null" {
        return Err("has the origin `null`, which every sandboxed page has".to_owned());
    }
    let url = Url::parse(origin).map_err(|_| "has an entry that is no origin".to_owned())?;
    let as_sent = match url.scheme() {
        "http" | "https" => url.origin().ascii_serialization(),
        scheme => foreign(scheme, &url).ok_or("has an entry without a host")?,
    };
    if origin == as_sent {
        Ok(())
    } else {
        Err(format!("has an entry that browsers write as `{as_sent}`"))
    }
}

/// The origin of an app's own scheme, as `capacitor://localhost`.
fn foreign(scheme: &str, url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_list_and_a_json_array_say_the_same() {
        let expected = vec![
            "https://app.example.org".to_owned(),
            "http://localhost:3000".to_owned(),
        ];
        for text in [
            "https://app.example.org,http://localhost:3000",
            " https://app.example.org , http://localhost:3000, https://app.example.org,",
            r#"["https://app.example.org", "http://localhost:3000"]"#,
        ] {
            assert_eq!(origins(text).as_ref(), Ok(&expected), "{text}");
        }
        assert_eq!(origins("[]"), Ok(vec![]));
        assert_eq!(origins("capacitor://localhost").map(|all| all.len()), Ok(1));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "*",
            "https://*.example.org",
            "null",
            "example.org",
            "localhost:3000",
            "https://app.example.org/",
            "https://app.example.org/path",
            "https://APP.example.org",
            "https://app.example.org:443",
            "https://user:pw@app.example.org",
            "https://app.example.org?x",
            "file:///tmp",
            "data:text/plain,x",
            "[\"https://app.example.org\"",
            "[1]",
            "https://ä.example.org",
        ] {
            assert!(origins(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_reason_shows_no_credentials() {
        let reason = origins("https://user:hunter2@app.example.org").unwrap_err();
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}
