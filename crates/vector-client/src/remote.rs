use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::{RecordIndex, VectorError, VectorStore};

/// Opens the vector stores of a remote service, each with the key of the tenant that it belongs to.
///
/// Every implementation keeps these promises, which `conformance` checks: what is stored through one opening of a host is
/// found through another; opening alone changes nothing; what cannot be a host or a key is refused.
pub trait RemoteStores: Send + Sync {
    /// The store at `host`, to be used with `api_key`. Whether the service takes the key shows at the first use.
    ///
    /// # Errors
    /// [`VectorError::Unauthorized`] when the key cannot be one, [`VectorError::Refused`] when the host cannot.
    fn open(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn VectorStore>, VectorError>;

    /// The index at `host` to be read as another tool filled it.
    ///
    /// # Errors
    /// As [`RemoteStores::open`].
    fn open_external(&self, host: &str, api_key: &SecretString) -> Result<Arc<dyn RecordIndex>, VectorError>;
}

/// Refuses a key that could not be sent as it is, before anything is.
pub(crate) fn check_key(api_key: &SecretString) -> Result<(), VectorError> {
    let key = api_key.expose_secret();
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        let problem = "the key is empty or has white space, control or non-ASCII characters; it was not sent";
        Err(VectorError::Unauthorized(problem.into()))
    }
}
