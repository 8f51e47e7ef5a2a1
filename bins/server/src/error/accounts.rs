//! What the errors of log-ins, sessions and passwords become; see `from.rs`.

use tenantry_retrieval::{
    ChangePasswordError, NoRandomness, RedeemError, RefreshError, RegisterError, ResetError, TooManyAttempts,
};

use super::{ApiError, Code};

impl From<TooManyAttempts> for ApiError {
    fn from(error: TooManyAttempts) -> Self {
        Self::new(Code::TooManyAttempts).wait(error.wait)
    }
}

impl From<NoRandomness> for ApiError {
    fn from(error: NoRandomness) -> Self {
        Self::new(Code::InternalError).because(error)
    }
}

impl From<RegisterError> for ApiError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Account(error) => error.into(),
            RegisterError::TooMany(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<RefreshError> for ApiError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::new(Code::InvalidRefreshToken),
            RefreshError::Random(error) => error.into(),
            RefreshError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<ChangePasswordError> for ApiError {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Wrong => Self::new(Code::WrongPassword),
            ChangePasswordError::Changed => Self::new(Code::Unauthenticated),
            ChangePasswordError::Rejected(error) => error.into(),
            ChangePasswordError::TooMany(error) => error.into(),
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Random(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<ResetError> for ApiError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::TooMany(error) => error.into(),
            ResetError::Random(error) => error.into(),
            ResetError::Store(error) => error.into(),
            // A mail is sent where nobody waits for it.
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}

impl From<RedeemError> for ApiError {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Invalid => Self::new(Code::InvalidResetToken),
            RedeemError::Rejected(error) => error.into(),
            RedeemError::TooMany(error) => error.into(),
            RedeemError::Hash(error) => error.into(),
            RedeemError::Store(error) => error.into(),
            unknown => Self::new(Code::InternalError).because(unknown),
        }
    }
}
