use tenantry_domain::{Actor, Principal, RequestOrigin};

/// How long the name of a client is at most, in characters.
const MAX_NAME: usize = 200;

/// The program that a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// The request, and the client's address.
    pub origin: RequestOrigin,
    /// What the program calls itself (`User-Agent`).
    pub name: Option<String>,
}

impl Client {
    /// Somebody who is not known yet, at this client.
    pub(crate) fn nobody(&self) -> Actor {
        self.acting_as(Principal::Anonymous)
    }

    pub(crate) fn acting_as(&self, principal: Principal) -> Actor {
        Actor {
            principal,
            origin: self.origin.clone(),
        }
    }

    /// Its name as it is kept: at most 200 characters, none of which is a control.
    pub(crate) fn shown_name(&self) -> Option<String> {
        let name = self.name.as_deref()?;
        let name: String = name
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_NAME)
            .collect();
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_client_is_short_and_harmless() {
        let shown = |name: &str| {
            Client {
                name: Some(name.to_owned()),
                ..Client::default()
            }
            .shown_name()
        };
        assert_eq!(shown(" curl/8.5\n\0").as_deref(), Some("curl/8.5"));
        assert_eq!(shown(" \n "), None);
        assert_eq!(shown(&"ä".repeat(300)).unwrap().chars().count(), MAX_NAME);
        assert_eq!(Client::default().shown_name(), None);
    }
}
