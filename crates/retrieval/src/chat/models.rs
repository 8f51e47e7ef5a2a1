use std::fmt;
use std::sync::Arc;

use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{BoxError, LlmProvider, TenantScope};
use tenantry_llm_client::{
    Budget, Completer, ExtractiveCompleter, FallbackCompleter, LlmError, ProviderAddress, Providers,
};

use super::ChatError;

/// Finds the models that may answer for a tenant: those of its own provider, or those of the server's.
///
/// A tenant with a provider of its own is answered by that one alone, unless it allows the server's to answer where its own
/// fails. A key that does not open and an address that may not be called are errors, whatever the tenant allows.
pub struct ChatModels {
    server: Server,
    own: Option<Own>,
    budget: Option<Budget>,
}

/// Who answers for tenants without a provider of their own.
enum Server {
    /// One completer, whatever it is called.
    Fixed(Arc<dyn Completer>),
    /// The models of a provider.
    Provider {
        providers: Arc<dyn Providers>,
        address: ProviderAddress,
        default: String,
    },
}

/// What opening tenants' own providers needs.
struct Own {
    providers: Arc<dyn Providers>,
    sealer: Arc<dyn Sealer>,
}

impl ChatModels {
    /// No provider: the best passages are quoted.
    pub fn extractive() -> Self {
        Self::fixed(Arc::new(ExtractiveCompleter))
    }

    /// `completer` for every tenant, whatever models its settings name; one with a provider of its own is refused.
    pub fn fixed(completer: Arc<dyn Completer>) -> Self {
        Self {
            server: Server::Fixed(completer),
            own: None,
            budget: None,
        }
    }

    /// The server's provider at `address`, with the model `default` for tenants that name none; a tenant with a provider of its
    /// own is refused.
    pub fn provider(
        providers: Arc<dyn Providers>,
        address: ProviderAddress,
        default: impl Into<String>,
    ) -> Self {
        Self {
            server: Server::Provider {
                providers,
                address,
                default: default.into(),
            },
            own: None,
            budget: None,
        }
    }

    /// The same, with tenants' own providers opened by `providers`, their keys by `sealer`.
    #[must_use]
    pub fn with_own(self, providers: Arc<dyn Providers>, sealer: Arc<dyn Sealer>) -> Self {
        Self {
            own: Some(Own { providers, sealer }),
            ..self
        }
    }

    /// Sets the time that several models have together; without it, it is what [`FallbackCompleter::new`] gives them.
    #[must_use]
    pub fn within(self, budget: Budget) -> Self {
        Self {
            budget: Some(budget),
            ..self
        }
    }

    /// The models that may be asked for by name, the one that answers unasked first.
    pub fn names(&self, scope: &TenantScope) -> Vec<String> {
        let tenant = scope.tenant();
        let mut names: Vec<String> = Vec::new();
        for name in self.listed(scope) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.is_empty() && tenant.llm.is_none() {
            names.push(self.server.default().to_owned());
        }
        names
    }

    /// The names that answer, from `asked` on.
    pub(super) fn chosen(&self, scope: &TenantScope, asked: Option<&str>) -> Result<Vec<String>, ChatError> {
        let mut names = self.names(scope);
        if let Some(asked) = asked {
            let place = names.iter().position(|name| name == asked);
            names.drain(..place.ok_or(ChatError::UnknownModel)?);
        }
        Ok(names)
    }

    /// Opens the models `names`, which [`ChatModels::chosen`] gave, as one that asks them in their order.
    pub(super) fn open(
        &self,
        scope: &TenantScope,
        names: &[String],
    ) -> Result<Arc<dyn Completer>, ChatError> {
        let tenant = scope.tenant();
        let models = match &tenant.llm {
            None => self.server.models(names)?,
            Some(provider) => {
                let mut models = self.own_models(scope, provider, names)?;
                if tenant.chat.server_provider {
                    // The names are those of the tenant's provider; the server's may know other models, or sell dearer ones.
                    models.extend(self.server.models(&[self.server.default().to_owned()])?);
                }
                models
            }
        };
        in_order(models, self.budget)
    }

    /// The names in the tenant's settings, where they name anything.
    fn listed<'s>(&self, scope: &'s TenantScope) -> &'s [String] {
        let tenant = scope.tenant();
        match (&tenant.llm, &self.server) {
            (None, Server::Fixed(_)) => &[],
            _ => &tenant.chat.models,
        }
    }

    fn own_models(
        &self,
        scope: &TenantScope,
        provider: &LlmProvider,
        names: &[String],
    ) -> Result<Vec<Arc<dyn Completer>>, ChatError> {
        let own = self
            .own
            .as_ref()
            .ok_or_else(|| refused("tenants' own providers are switched off"))?;
        let key = match &provider.api_key {
            Some(key) => Some(own.sealer.open(Field::llm_api_key(scope.id()), &key.sealed)?),
            None => None,
        };
        let address = ProviderAddress::of_tenant(&provider.base_url, key).map_err(refused)?;
        let open = |name: &String| own.providers.completer(&address, name);
        Ok(names.iter().map(open).collect::<Result<_, _>>()?)
    }
}

impl Server {
    fn default(&self) -> &str {
        match self {
            Self::Fixed(completer) => completer.model(),
            Self::Provider { default, .. } => default,
        }
    }

    fn models(&self, names: &[String]) -> Result<Vec<Arc<dyn Completer>>, ChatError> {
        match self {
            Self::Fixed(completer) => Ok(vec![completer.clone()]),
            Self::Provider {
                providers, address, ..
            } => {
                let open = |name: &String| providers.completer(address, name);
                Ok(names.iter().map(open).collect::<Result<_, _>>()?)
            }
        }
    }
}

fn in_order(
    models: Vec<Arc<dyn Completer>>,
    budget: Option<Budget>,
) -> Result<Arc<dyn Completer>, ChatError> {
    let mut models = models.into_iter();
    let first = models
        .next()
        .ok_or_else(|| refused("the tenant has a provider of its own and names none of its models"))?;
    let rest: Vec<_> = models.collect();
    Ok(if rest.is_empty() {
        first
    } else {
        let models = FallbackCompleter::new(first, rest);
        match budget {
            Some(budget) => Arc::new(models.within(budget)),
            None => Arc::new(models),
        }
    })
}

fn refused(why: impl Into<BoxError>) -> ChatError {
    LlmError::Refused(why.into()).into()
}

impl fmt::Debug for ChatModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatModels")
            .field("default", &self.server.default())
            .field("own", &self.own.is_some())
            .field("budget", &self.budget)
            .finish()
    }
}
