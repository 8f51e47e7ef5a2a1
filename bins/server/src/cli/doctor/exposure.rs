//! What is open to the network: where the server listens, which pages may call it, who may register.

use std::net::{IpAddr, ToSocketAddrs};

use url::{Host, Url};

use super::probe;
use super::report::Report;
use crate::config::{Environment, Settings};

pub(super) fn check(env: &Environment, settings: &Settings, report: &mut Report) {
    let is_public = !settings.address.ip().is_loopback();
    listening(env, settings, is_public, report);
    origins(&settings.cors_origins, is_public, report);
    if settings.registration_open {
        report.warning(
            "registration",
            "anybody may make an account",
            "REGISTRATION=closed, unless that is meant; accounts have no tenant until a superuser gives them one",
        );
    } else {
        report.ok("registration", "closed");
    }
    mail(env, report);
}

/// Tokens and passwords cross the network as the server sends and takes them: without TLS, whoever listens has them.
fn listening(env: &Environment, settings: &Settings, is_public: bool, report: &mut Report) {
    const CHECK: &str = "listening";
    let address = settings.address;
    if !is_public {
        return report.ok(CHECK, format_args!("at {address}, for this machine alone"));
    }
    let is_https = env
        .get("PUBLIC_URL")
        .is_some_and(|url| url.starts_with("https://"));
    let proxies = env.get("TRUSTED_PROXIES").is_some_and(|list| !list.is_empty());
    if is_https || proxies {
        report.ok(CHECK, format_args!("at {address}, behind what ends TLS"));
    } else {
        report.warning(
            CHECK,
            format_args!("at {address}, and nothing says that TLS ends before it: it speaks plain HTTP itself"),
            "put a reverse proxy with TLS before it, set PUBLIC_URL to its https:// address and TRUSTED_PROXIES to its own",
        );
    }
}

fn origins(origins: &[String], is_public: bool, report: &mut Report) {
    const CHECK: &str = "CORS";
    let mut is_well = true;
    for origin in origins {
        let Ok(url) = Url::parse(origin) else { continue };
        let is_local = leads_to_itself(&url);
        if is_local && is_public {
            is_well = false;
            report.warning(
                CHECK,
                format_args!("{origin} may call a server that others reach: any page on a user's own machine is trusted"),
                "take it out of BACKEND_CORS_ORIGINS of servers that are not for development",
            );
        } else if url.scheme() == "http" && !is_local {
            is_well = false;
            report.warning(
                CHECK,
                format_args!("{origin} is not https: whoever is on its users' network can change its pages"),
                "serve it by https and name that in BACKEND_CORS_ORIGINS",
            );
        }
    }
    if is_well {
        report.ok(
            CHECK,
            format_args!("{} sites may call from a browser", origins.len()),
        );
    }
}

fn leads_to_itself(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Whether the mail server takes connections; whether it takes mail shows when some is sent.
fn mail(env: &Environment, report: &mut Report) {
    const CHECK: &str = "mail";
    let Some(text) = env.get("SMTP_URL").filter(|text| !text.is_empty()) else {
        return report.ok(
            CHECK,
            "not configured; administrators hand out the links that set passwords",
        );
    };
    let place = Url::parse(&text).ok().and_then(|url| {
        let port = url
            .port()
            .unwrap_or(if url.scheme() == "smtps" { 465 } else { 587 });
        Some((url.host_str()?.to_owned(), port))
    });
    let Some((host, port)) = place else {
        return report.problem(
            CHECK,
            "SMTP_URL names no host",
            "set it as docs/configuration.md tells",
        );
    };
    // Brackets are of the URL.
    let name = host.trim_matches(['[', ']']);
    let reached = (name, port)
        .to_socket_addrs()
        .and_then(|found| probe::connect(found));
    match reached {
        Ok(()) => report.ok(CHECK, format_args!("{host}:{port} takes connections")),
        Err(error) => report.problem(
            CHECK,
            format_args!("{host}:{port} cannot be reached: {error}"),
            "is SMTP_URL right, and may this machine reach it? No mail with a link to set a password goes out",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    #[test]
    fn origins_that_anybody_can_be_are_warned_of() {
        for (origin, is_public, verdict) in [
            ("https://app.example.org", true, Verdict::Ok),
            ("capacitor://localhost", false, Verdict::Ok),
            ("http://localhost:3000", false, Verdict::Ok),
            ("http://localhost:3000", true, Verdict::Warning),
            ("https://127.0.0.1", true, Verdict::Warning),
            ("http://[::1]:3000", true, Verdict::Warning),
            ("http://app.example.org", false, Verdict::Warning),
            ("http://localhost.example.org", false, Verdict::Warning),
        ] {
            let mut report = Report::default();
            origins(&[origin.to_owned()], is_public, &mut report);
            assert_eq!(report.verdict(), verdict, "{origin}");
        }
    }
}
