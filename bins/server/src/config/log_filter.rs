/// A filter for log lines, checked: a comma list of `level`, `module` or `module=level`.
pub(super) fn log_filter(text: &str) -> Result<String, &'static str> {
    if text.split(',').map(str::trim).all(is_directive) {
        Ok(text.to_owned())
    } else {
        Err("has an unknown level or an empty entry")
    }
}

fn is_directive(text: &str) -> bool {
    match text.split_once('=') {
        Some((module, level)) => is_module(module) && is_level(level),
        None => is_level(text) || (is_module(text) && text.contains("::")),
    }
}

fn is_level(text: &str) -> bool {
    ["off", "error", "warn", "info", "debug", "trace"]
        .iter()
        .any(|level| level.eq_ignore_ascii_case(text))
}

fn is_module(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_known_and_modules_are_names() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,tenantry=debug",
            "tenantry::http=trace, warn",
            "actix_server::builder",
        ] {
            assert!(log_filter(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "verbose",
            "info,",
            "tenantry=loud",
            "=info",
            "info/secret",
            "a b=info",
        ] {
            assert!(log_filter(text).is_err(), "{text}");
        }
    }
}
