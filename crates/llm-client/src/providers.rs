use std::sync::Arc;

use crate::{Completer, Embedder, InvalidBaseUrl, LlmError, ProviderAddress};

/// Opens models at the addresses of their providers: the server's, and those that tenants bring.
///
/// What is opened at an address speaks to that address and to no other, with that key and no other. Opening is cheap
/// enough for each request: nothing is sent, and connections are shared by everything that was opened.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use tenantry_llm_client::{Completer, LlmError, MemoryCompleter, MemoryProviders, Prompt, ProviderAddress, Providers};
///
/// fn ask(providers: &dyn Providers, base_url: &str) -> Result<String, LlmError> {
///     let address = ProviderAddress::of_tenant(base_url, None).map_err(|error| LlmError::Refused(error.into()))?;
///     Ok(providers.completer(&address, "some-model")?.complete(&Prompt::default())?.text)
/// }
///
/// let providers = MemoryProviders::new().with_completer("llm.example.org", Arc::new(MemoryCompleter::saying("Yes.")));
/// assert_eq!(ask(&providers, "https://llm.example.org/v1")?, "Yes.");
/// assert!(matches!(ask(&providers, "https://elsewhere.example.org/v1"), Err(LlmError::Unavailable(_))));
/// # Ok::<(), LlmError>(())
/// ```
pub trait Providers: Send + Sync {
    /// Says whether models at `address` may be called at all, as far as its text tells; what its host resolves to is checked
    /// with each call.
    ///
    /// # Errors
    /// When a tenant chose an address that is not public and not among those that the operator allows.
    fn check(&self, address: &ProviderAddress) -> Result<(), InvalidBaseUrl>;

    /// The chat model of that name at `address`. Whether the provider has it shows at the first use.
    ///
    /// # Errors
    /// [`LlmError::Refused`] when the address may not be called.
    fn completer(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Completer>, LlmError>;

    /// The embedding model of that name at `address`. Whether the provider has it shows at the first use.
    ///
    /// # Errors
    /// [`LlmError::Refused`] when the address may not be called.
    fn embedder(&self, address: &ProviderAddress, model: &str) -> Result<Arc<dyn Embedder>, LlmError>;
}
