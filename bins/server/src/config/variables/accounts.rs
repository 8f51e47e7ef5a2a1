use super::{Unset, Variable};

/// The lifetime of sessions.
pub const REFRESH_TOKEN_EXPIRE_DAYS: Variable = Variable {
    name: "REFRESH_TOKEN_EXPIRE_DAYS",
    meaning: "How long after a log-in a session goes on at most, in days",
    unset: Unset::Default("30"),
    expected: "a whole number from 1 to 365",
};

/// The proxies in front of the server.
pub const TRUSTED_PROXIES: Variable = Variable {
    name: "TRUSTED_PROXIES",
    meaning: "The proxies in front of the server, whose `X-Forwarded-For` says who asks",
    unset: Unset::Means("who connects is who asks"),
    expected: "a comma list of IP addresses and networks as `10.0.0.0/8`, none wider than `/8`, or `/7` of IPv6",
};

/// The server's own address.
pub const PUBLIC_URL: Variable = Variable {
    name: "PUBLIC_URL",
    meaning: "The address of the server as browsers know it, for links to set a password",
    unset: Unset::Means("links have a path alone, and no mail is sent"),
    expected: "an `https://` URL without credentials, query or fragment; `http://` on this machine alone; required with `SMTP_URL`",
};

/// Where tenants' identity providers may be although not public.
pub const TENANT_OIDC_ORIGINS: Variable = Variable {
    name: "TENANT_OIDC_ORIGINS",
    meaning: "Where tenants' identity providers, and their keys, may be although not at a public `https://` address",
    unset: Unset::Means("public `https://` addresses alone"),
    expected: "a comma list of origins as `http://login.internal:8080`, without a path, a slash at the end or a wildcard",
};

/// The mail server.
pub const SMTP_URL: Variable = Variable {
    name: "SMTP_URL",
    meaning: "The mail server that sends people a link to set a new password; `smtp` is encrypted by STARTTLS, or not sent, unless the host \
              is this machine",
    unset: Unset::Means("`SMTP_URL_FILE` is read; without either nobody is sent anything"),
    expected: "`smtps://user:password@host:port` or the same with `smtp://`; user, password and port may be left out",
};

/// A file with [`SMTP_URL`].
pub const SMTP_URL_FILE: Variable = Variable {
    name: "SMTP_URL_FILE",
    meaning: "A file that holds what `SMTP_URL` would; one line end at its end is not part of it",
    unset: Unset::Means("`SMTP_URL` is read"),
    expected: "the path of a readable file, when `SMTP_URL` is not set",
};

/// The sender of mails.
pub const MAIL_FROM: Variable = Variable {
    name: "MAIL_FROM",
    meaning: "The address that mails are from",
    unset: Unset::Means("no mail is sent"),
    expected: "an e-mail address; required with `SMTP_URL`",
};
