use std::io::Write;

use tenantry_domain::{Email, UserId};
use tenantry_retrieval::{AccountError, NewUser, Superuser, UserUpdate};
use tenantry_tenant_store::StoreError;

use super::input::secret;
use super::{CreateUser, Failure, UserCommand, open};
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

fn create(app: &App, env: &Environment, args: CreateUser, out: &mut dyn Write) -> Result<(), Failure> {
    let password = secret(env, &variables::TENANTRY_PASSWORD, "password")?;
    let CreateUser {
        email,
        superuser,
        tenant,
    } = args;
    let what = match (&tenant, superuser) {
        (Some(tenant), true) => format!("superuser and user of tenant {tenant}"),
        (Some(tenant), false) => format!("user of tenant {tenant}"),
        (None, true) => "superuser".to_owned(),
        (None, false) => "user without a tenant".to_owned(),
    };
    let new = NewUser {
        email: email.to_string(),
        password,
        is_superuser: superuser,
        tenant,
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
    Ok(writeln!(out, "created {email}, a {what}")?)
}

fn change(app: &App, email: &Email, update: UserUpdate) -> Result<(), Failure> {
    let id = known(app, email)?;
    match app.accounts.update(&Superuser::operator(), id, update)? {
        Some(_) => Ok(()),
        None => Err(unknown(email)),
    }
}

fn known(app: &App, email: &Email) -> Result<UserId, Failure> {
    let user = app
        .accounts
        .user_by_email(&Superuser::operator(), email.as_str())?;
    user.map(|user| user.id).ok_or_else(|| unknown(email))
}

fn unknown(email: &Email) -> Failure {
    Failure::new(format!("there is no user {email}")).hint("`tenantry user create` makes one")
}
