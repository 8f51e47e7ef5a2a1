use std::collections::HashSet;
use std::io::Write;

use tenantry_domain::{DocumentState, MediaType, Page, TenantScope};
use tenantry_retrieval::{NewTenant, NewText, NewUser, SaveTenantError, Superuser};
use tenantry_tenant_store::StoreError;

use super::folder::Folder;
use super::samples::{SAMPLES, SUPERUSER, SUPERUSER_PASSWORD, Sample};
use crate::app::App;
use crate::cli::Failure;
use crate::cli::sources::heading;

/// Makes what is not there yet: the superuser, the tenants, their users and documents.
pub(super) fn fill(app: &App, folder: &Folder, out: &mut dyn Write) -> Result<(), Failure> {
    let superuser = NewUser {
        email: SUPERUSER.to_owned(),
        password: folder.password(SUPERUSER_PASSWORD)?,
        is_superuser: true,
        tenant: None,
    };
    ensure_user(app, superuser)?;
    for sample in &SAMPLES {
        ensure_tenant(app, sample)?;
        let user = NewUser {
            email: sample.email.to_owned(),
            password: folder.password(sample.password)?,
            is_superuser: false,
            tenant: Some(sample.id()?),
        };
        ensure_user(app, user)?;
        let scope = app
            .resolver
            .operator_scope(&Superuser::operator(), &sample.id()?)?;
        write!(out, "  {} ", sample.name)?;
        let new = ensure_documents(app, &scope, sample, out)?;
        let all = sample.documents.len();
        writeln!(out, " {all} documents, {new} of them new")?;
    }
    Ok(())
}

fn ensure_user(app: &App, new: NewUser) -> Result<(), Failure> {
    let operator = Superuser::operator();
    if app.accounts.user_by_email(&operator, &new.email)?.is_none() {
        app.accounts.create(&operator, new)?;
    }
    Ok(())
}

fn ensure_tenant(app: &App, sample: &Sample) -> Result<(), Failure> {
    let new = NewTenant {
        id: sample.id()?,
        name: sample.name.to_owned(),
        pinecone_environment: None,
        pinecone_index: None,
        pinecone_api_key: None,
        system_prompt: Some(sample.prompt.to_owned()),
    };
    match app.tenants.create(&Superuser::operator(), new) {
        Ok(_) | Err(SaveTenantError::Store(StoreError::IdTaken)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes in the documents that cannot be found by their title, a dot for each, and gives their number. What an
/// interrupted run left half done is removed first.
fn ensure_documents(
    app: &App,
    scope: &TenantScope,
    sample: &Sample,
    out: &mut dyn Write,
) -> Result<usize, Failure> {
    let page = Page::new(Page::MAX_LIMIT, 0)?;
    let mut there = HashSet::new();
    for document in app.knowledge.documents(scope, page)?.items {
        if document.state == DocumentState::Ready {
            there.insert(document.title);
        } else {
            app.knowledge.remove(scope, document.id)?;
        }
    }
    let mut new = 0;
    for text in sample.documents {
        let title = heading(text).unwrap_or_else(|| sample.name.to_owned());
        if !there.contains(&title) {
            let document = NewText {
                title,
                media_type: MediaType::Markdown,
                text: text.to_owned(),
            };
            app.knowledge.ingest(scope, &document, &mut |_| {})?;
            new += 1;
        }
        write!(out, ".")?;
        out.flush()?;
    }
    Ok(new)
}
