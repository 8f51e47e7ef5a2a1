use actix_web::web::Data;
use futures_util::future::join4;
use tokio::time::sleep;

use super::halt::{Cause, Halt};
use crate::error::{ApiError, Code};
use crate::extract::{Chat, CurrentTenant};
use crate::limits::HttpSettings;
use crate::offload::Class;
use crate::peer::Peer;

/// What may stop a turn from outside.
pub(super) struct Guards {
    pub(super) halt: Halt,
    pub(super) tenant: CurrentTenant<Chat>,
    pub(super) peer: Option<Peer>,
    pub(super) settings: Data<HttpSettings>,
}

impl Guards {
    /// Watches until nothing is left to watch; dropped at the turn's end.
    pub(super) async fn watch(self) {
        let Self {
            halt,
            tenant,
            peer,
            settings,
        } = &self;
        let stop = |code| halt.raise(Cause::Failed(ApiError::new(code)));
        let client = async {
            if let Some(peer) = peer {
                peer.left().await;
                halt.left();
            }
        };
        let deadline = async {
            sleep(settings.answer_deadline).await;
            stop(Code::DeadlineExceeded);
        };
        let server = async {
            tenant.offload().underway().stopping().await;
            stop(Code::ShuttingDown);
        };
        let access = async {
            let refused = loop {
                sleep(settings.access_check).await;
                if let Err(refused) = may_have_it(tenant).await {
                    break refused;
                }
            };
            halt.raise(Cause::Failed(refused));
        };
        join4(client, deadline, server, access).await;
    }
}

/// Whether the token, its user and the tenant are still what they were. When the store cannot tell, it is asked again later: the
/// answer's deadline is the end of that.
async fn may_have_it(tenant: &CurrentTenant<Chat>) -> Result<(), ApiError> {
    let looking = async {
        let permit = tenant.offload().permit_unqueued(Class::Store).await?;
        tenant.run_phase(permit, |_, _| Ok(())).await
    };
    let looked: Result<(), ApiError> = looking.await;
    looked.or_else(|error| match error.code() {
        Code::Unauthenticated | Code::TenantForbidden | Code::PermissionRequired => Err(error),
        _ => Ok(()),
    })
}
