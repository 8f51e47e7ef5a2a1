//! What is open to the network: where the server listens, which pages may call it, who may register.

use std::net::IpAddr;

use url::{Host, Url};

use super::report::Report;
use crate::config::{Environment, Settings};
use crate::logging::chain;
use crate::proxies::TrustedProxies;

pub(super) fn check(env: &Environment, settings: &Settings, report: &mut Report) {
    let is_public = !settings.address.ip().is_loopback();
    listening(settings, is_public, report);
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
    mail(settings, report);
    if let Some(url) = env.get("DATABASE_URL") {
        tls(&url, report);
    }
}

/// Tokens and passwords cross the network as the server sends and takes them: without TLS, whoever listens has them.
fn listening(settings: &Settings, is_public: bool, report: &mut Report) {
    const CHECK: &str = "listening";
    let address = settings.address;
    let public_url = settings.accounts.public_url.as_deref();
    let is_https = public_url.is_some_and(|url| url.starts_with("https://"));
    let has_proxy = settings.accounts.trusted_proxies != TrustedProxies::default();
    match (is_public, is_https, has_proxy) {
        (_, _, true) => report.ok(CHECK, format_args!("at {address}, behind a proxy that is named")),
        (_, true, false) => report.warning(
            CHECK,
            format_args!("at {address}, behind what ends TLS for PUBLIC_URL: all clients count as that one address"),
            "name it in TRUSTED_PROXIES, so that attempts at passwords are counted for the clients themselves",
        ),
        (true, false, false) => report.warning(
            CHECK,
            format_args!("at {address}, and nothing says that TLS ends before it: it speaks plain HTTP itself"),
            "put a reverse proxy with TLS before it, set PUBLIC_URL to its https:// address and TRUSTED_PROXIES to its own",
        ),
        (false, false, false) => report.ok(CHECK, format_args!("at {address}, for this machine alone")),
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
        Some(Host::Domain(name)) => {
            // Of schemes that are not the web's, hosts are not told apart by the parser.
            let bare = name.trim_matches(['[', ']']);
            let is_loopback = bare.parse().is_ok_and(|address: IpAddr| address.is_loopback());
            is_loopback || name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Whether the mail server takes us; whether it takes a mail shows when one is sent.
fn mail(settings: &Settings, report: &mut Report) {
    const CHECK: &str = "mail";
    let Some(mailer) = &settings.accounts.mailer else {
        return report.ok(
            CHECK,
            "not configured; administrators hand out the links that set passwords",
        );
    };
    match mailer.check() {
        Ok(()) => report.ok(CHECK, "the server of SMTP_URL answers and takes our credentials"),
        Err(error) => report.problem(
            CHECK,
            chain(&error),
            "is SMTP_URL right, and may this machine reach it? No mail with a link to set a password goes out",
        ),
    }
}

/// The answers of the database hold what tenants keep: on a network they are to be encrypted.
fn tls(database: &str, report: &mut Report) {
    const CHECK: &str = "database TLS";
    let Ok(url) = Url::parse(database) else { return };
    if url.scheme() == "sqlite" {
        return;
    }
    let mode = url.query_pairs().find(|(name, _)| name == "sslmode");
    let is_checked = mode.is_some_and(|(_, mode)| matches!(&*mode, "verify-ca" | "verify-full"));
    // Without a host libpq takes a socket of this machine.
    let is_local = url.host_str().is_none_or(str::is_empty) || leads_to_itself(&url);
    if is_local {
        report.ok(CHECK, "the database is on this machine");
    } else if is_checked {
        report.ok(
            CHECK,
            "the connection is encrypted, and the server's certificate is checked",
        );
    } else {
        report.warning(
            CHECK,
            "nothing makes sure that the connection is encrypted and leads to the right server",
            "add ?sslmode=verify-full to DATABASE_URL, with sslrootcert where the authority is your own, unless the network is private",
        );
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

    #[test]
    fn a_database_elsewhere_is_asked_over_tls_alone() {
        for (url, verdict) in [
            ("postgres://u:hunter2@127.0.0.1:5432/t", Verdict::Ok),
            ("postgres://u:hunter2@[::1]/t", Verdict::Ok),
            ("postgresql://localhost/t?sslmode=disable", Verdict::Ok),
            ("postgres:///t?host=/run/postgresql", Verdict::Ok),
            (
                "postgres://u:hunter2@db.example.org/t?sslmode=verify-full",
                Verdict::Ok,
            ),
            (
                "postgres://u:hunter2@db.example.org/t?sslmode=require",
                Verdict::Warning,
            ),
            ("postgres://u:hunter2@10.0.0.1/t", Verdict::Warning),
        ] {
            let mut report = Report::default();
            tls(url, &mut report);
            assert_eq!(report.verdict(), verdict, "{url}");
            assert!(!format!("{report:?}").contains("hunter2"));
        }
    }
}
