use std::io::Write;

use secrecy::ExposeSecret;
use tenantry_domain::{Email, Role, User};
use tenantry_retrieval::{AccountError, NewUser, Superuser, UserUpdate};
use tenantry_tenant_store::StoreError;

use super::input::secret;
use super::{CreateUser, Failure, NamedUser, UserCommand, UserRole, open};
use crate::app::App;
use crate::config::{Environment, variables};

/// Makes or changes an account.
pub(super) fn run(env: &Environment, command: UserCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let app = open(env)?.app;
    match command {
        UserCommand::Create(args) => create(&app, env, args, out),
        UserCommand::Promote(user) => {
            let update = UserUpdate {
                is_superuser: Some(true),
                ..UserUpdate::default()
            };
            change(&app, &user.email, update)?;
            Ok(writeln!(out, "{} is a superuser now", user.email)?)
        }
        UserCommand::Role(args) => appoint(&app, args, out),
        UserCommand::Reset(user) => reset(&app, &user, out),
        UserCommand::Password(user) => {
            known(&app, &user.email)?;
            let password = secret(env, &variables::TENANTRY_PASSWORD, "password")?;
            let update = UserUpdate {
                password: Some(password),
                ..UserUpdate::default()
            };
            change(&app, &user.email, update)?;
            Ok(writeln!(
                out,
                "the password of {} is changed, and earlier sessions have ended",
                user.email
            )?)
        }
    }
}

/// Prints the link alone on standard output, for whoever hands it on.
fn reset(app: &App, user: &NamedUser, out: &mut dyn Write) -> Result<(), Failure> {
    let id = known(app, &user.email)?.id;
    let link = app.resets.issue(&Superuser::operator(), id)?;
    let link = link.ok_or_else(|| unknown(&user.email))?;
    Ok(writeln!(out, "{}", link.url.expose_secret())?)
}

fn create(app: &App, env: &Environment, args: CreateUser, out: &mut dyn Write) -> Result<(), Failure> {
    let password = secret(env, &variables::TENANTRY_PASSWORD, "password")?;
    let CreateUser {
        email,
        superuser,
        tenant,
        role,
    } = args;
    let rank = match role {
        Role::Reader => "reader",
        Role::Member => "user",
        Role::Admin => "admin",
    };
    let what = match (&tenant, superuser) {
        (Some(tenant), true) => format!("superuser and {rank} of tenant {tenant}"),
        (Some(tenant), false) => format!("{rank} of tenant {tenant}"),
        (None, true) => "superuser".to_owned(),
        (None, false) => "user without a tenant".to_owned(),
    };
    let article = if what.starts_with("admin") { "an" } else { "a" };
    let new = NewUser {
        email: email.to_string(),
        password,
        is_superuser: superuser,
        tenant,
        role,
    };
    app.accounts
        .create(&Superuser::operator(), new)
        .map_err(|error| match error {
            AccountError::Store(StoreError::EmailTaken) => Failure::from(error).hint(
                "`tenantry user promote` makes a user a superuser, `tenantry user password` sets a password",
            ),
            AccountError::Store(StoreError::UnknownTenant) => Failure::from(error)
                .hint("`tenantry tenant list` shows the tenants, `tenantry tenant create` makes one"),
            error => error.into(),
        })?;
    Ok(writeln!(out, "created {email}, {article} {what}")?)
}

fn appoint(app: &App, args: UserRole, out: &mut dyn Write) -> Result<(), Failure> {
    let UserRole { email, role } = args;
    let Some(tenant) = known(app, &email)?.tenant else {
        return Err(
            Failure::new(format!("{email} has no tenant")).hint("a role is for the user's own tenant")
        );
    };
    let update = UserUpdate {
        role: Some(role),
        ..UserUpdate::default()
    };
    change(app, &email, update)?;
    Ok(writeln!(out, "{email} is {role} of tenant {tenant} now")?)
}

fn change(app: &App, email: &Email, update: UserUpdate) -> Result<User, Failure> {
    let id = known(app, email)?.id;
    let user = app.accounts.update(&Superuser::operator(), id, update)?;
    user.ok_or_else(|| unknown(email))
}

fn known(app: &App, email: &Email) -> Result<User, Failure> {
    let user = app
        .accounts
        .user_by_email(&Superuser::operator(), email.as_str())?;
    user.ok_or_else(|| unknown(email))
}

fn unknown(email: &Email) -> Failure {
    Failure::new(format!("there is no user {email}")).hint("`tenantry user create` makes one")
}
