use tenantry_domain::SourceId;
use tenantry_retrieval::{NewFile, Upload};
use tenantry_tenant_store::Submitted;
use tokio::runtime::Handle;

use super::{CurrentTenant, Ingest};
use crate::error::ApiError;
use crate::offload::{Class, Share};

/// A file that goes to the store as it comes. What came of it is removed unless it comes whole.
pub(super) struct Keeping {
    tenant: CurrentTenant<Ingest>,
    upload: Upload,
    part: Vec<u8>,
    /// What is to be removed should this be dropped.
    unfinished: Option<SourceId>,
    _room: Share,
}

impl Keeping {
    /// Begins with a file of at most `length` bytes.
    pub(super) async fn begin(tenant: &CurrentTenant<Ingest>, length: usize) -> Result<Self, ApiError> {
        let beginning = tenant.clone();
        let upload = beginning.run(Class::Store, |app, scope| app.knowledge.begin(scope));
        let upload = upload.await?;
        // A part is there twice when a database takes it.
        let bytes = length.min(Upload::PART).saturating_mul(2);
        Ok(Self {
            _room: tenant.offload().room(tenant.id()?, bytes).await?,
            tenant: tenant.clone(),
            upload,
            part: Vec::new(),
            unfinished: None,
        })
    }

    pub(super) async fn add(&mut self, mut bytes: &[u8]) -> Result<(), ApiError> {
        while !bytes.is_empty() {
            let free = Upload::PART.saturating_sub(self.part.len());
            let (now, later) = bytes.split_at(free.min(bytes.len()));
            self.part.extend_from_slice(now);
            if self.part.len() >= Upload::PART {
                self.flush().await?;
            }
            bytes = later;
        }
        Ok(())
    }

    pub(super) async fn finish(mut self, new: NewFile) -> Result<Submitted, ApiError> {
        self.flush().await?;
        // Whatever becomes of the client now, what is submitted stays.
        let source = self.unfinished.take();
        let upload = self.upload.clone();
        let submitted = self.tenant.clone().run(Class::Store, move |app, scope| {
            app.knowledge.finish(scope, upload, &new)
        });
        let submitted = submitted.await;
        if submitted.is_err() {
            self.unfinished = source;
        }
        submitted
    }

    async fn flush(&mut self) -> Result<(), ApiError> {
        if self.part.is_empty() {
            return Ok(());
        }
        self.unfinished = Some(self.upload.source());
        let (part, mut upload) = (std::mem::take(&mut self.part), self.upload.clone());
        let adding = self.tenant.clone().run(Class::Store, move |app, scope| {
            let added = app.knowledge.add_part(scope, &mut upload, &part);
            added.map(|()| upload)
        });
        self.upload = adding.await?;
        Ok(())
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let (Some(source), Ok(runtime)) = (self.unfinished, Handle::try_current()) else {
            return;
        };
        let tenant = self.tenant.clone();
        runtime.spawn(async move {
            let removing = tenant.run(Class::Store, move |app, scope| {
                app.knowledge.abandon(scope, source);
                Ok::<_, ApiError>(())
            });
            // What is left behind is removed a day later.
            drop(removing.await);
        });
    }
}
