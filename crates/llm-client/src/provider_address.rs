use std::fmt;

use secrecy::SecretString;
use url::{Origin, Url};

/// Why a base URL is no address of a provider; each says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// It is no absolute URL with a host.
    #[error("the base url must be a url like https://api.openai.com/v1")]
    NotAUrl,
    /// It is not `https`, which only addresses that the operator allows may lack.
    #[error("the base url must begin with https://")]
    NotHttps,
    /// It has a user name or a password in it.
    #[error("the base url must not carry credentials: the api key has its own field")]
    Credentials,
    /// It has a query or a fragment.
    #[error("the base url must have neither a query nor a fragment")]
    Query,
    /// It names an address that is not of the public internet.
    #[error("the base url must lead to a public address")]
    NotPublic,
}

/// Who chose an address, and so how far it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The operator: `http` and private addresses are allowed.
    Operator,
    /// A tenant: `https` to a public address, unless the operator allows its origin.
    Tenant,
}

/// Where a provider of models is, and the key for it. `Debug` shows the origin alone.
#[derive(Clone)]
pub struct ProviderAddress {
    base_url: Url,
    api_key: Option<SecretString>,
    chosen_by: ChosenBy,
}

impl ProviderAddress {
    /// What the operator chose.
    pub fn of_operator(base_url: Url, api_key: Option<SecretString>) -> Self {
        Self {
            base_url,
            api_key,
            chosen_by: ChosenBy::Operator,
        }
    }

    /// What a tenant chose, as far as its text can be judged; see [`Providers::check`](crate::Providers::check) for the rest.
    ///
    /// # Errors
    /// When `base_url` is no `http` or `https` URL with a host, or carries credentials, a query or a fragment.
    ///
    /// # Examples
    /// ```
    /// use tenantry_llm_client::{InvalidBaseUrl, ProviderAddress};
    ///
    /// let address = ProviderAddress::of_tenant("https://llm.example.org/v1", None)?;
    /// assert_eq!(address.base_url().host_str(), Some("llm.example.org"));
    /// let refused = ProviderAddress::of_tenant("https://key@llm.example.org/v1", None);
    /// assert_eq!(refused.err(), Some(InvalidBaseUrl::Credentials));
    /// # Ok::<(), InvalidBaseUrl>(())
    /// ```
    pub fn of_tenant(base_url: &str, api_key: Option<SecretString>) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(base_url).map_err(|_| InvalidBaseUrl::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(InvalidBaseUrl::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBaseUrl::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::Query);
        }
        Ok(Self {
            base_url: url,
            api_key,
            chosen_by: ChosenBy::Tenant,
        })
    }

    /// What the provider's endpoints stand below.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// The key; compatible servers often need none.
    pub fn api_key(&self) -> Option<&SecretString> {
        self.api_key.as_ref()
    }

    /// Who chose it.
    pub fn chosen_by(&self) -> ChosenBy {
        self.chosen_by
    }

    /// The scheme, host and port that calls go to.
    pub fn origin(&self) -> Origin {
        self.base_url.origin()
    }
}

impl fmt::Debug for ProviderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderAddress")
            .field("origin", &self.origin().ascii_serialization())
            .field("has_api_key", &self.api_key.is_some())
            .field("chosen_by", &self.chosen_by)
            .finish_non_exhaustive()
    }
}
