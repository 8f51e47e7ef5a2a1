//! The permissions, as types: a handler names the one that it needs in its signature.

use tenantry_domain::Permission;

/// A permission that a handler asks for.
pub trait Needs: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// Which one.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

needs! {
    /// [`Permission::Chat`].
    Chat;
    /// [`Permission::Search`].
    Search;
    /// [`Permission::Ingest`].
    Ingest;
}
