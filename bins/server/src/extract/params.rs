use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenantry_domain::Page;
use utoipa::IntoParams;

use super::strict::pairs;
use crate::error::ApiError;

/// The id in an address, percent-decoded and not yet judged.
#[derive(Debug)]
pub(crate) struct PathId(String);

impl PathId {
    /// The id; text that is none is answered as an id that nothing has.
    ///
    /// # Errors
    /// When the text does not have the id's form.
    pub(crate) fn parse<T: FromStr>(&self) -> Result<T, ApiError> {
        self.0.parse().map_err(|_| ApiError::not_found())
    }

    /// What was written, to compare it with.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequest for PathId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Bytes that are not UTF-8 are decoded to U+FFFD, which no id has.
        let id = request.match_info().load::<String>();
        ready(id.map(Self).map_err(|_| ApiError::not_found()))
    }
}

/// The two ids in an address, the outer one first.
#[derive(Debug)]
pub(crate) struct PathIds(pub(crate) PathId, pub(crate) PathId);

impl FromRequest for PathIds {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = request.match_info().load::<(String, String)>();
        let ids = ids.map(|(outer, inner)| Self(PathId(outer), PathId(inner)));
        ready(ids.map_err(|_| ApiError::not_found()))
    }
}

/// The parameters after the `?`, read strictly: an unknown or repeated one is a mistake.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(pairs("query", request.query_string()).map(Self))
    }
}

/// Which part of a list to give.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// How many entries at most: 1 to 100, else 50.
    limit: Option<u32>,
    /// How many entries to skip.
    offset: Option<u32>,
}

impl PageParams {
    pub(crate) fn new(limit: Option<u32>, offset: Option<u32>) -> Self {
        Self { limit, offset }
    }

    /// The page that is meant.
    ///
    /// # Errors
    /// When there is no such page.
    pub(crate) fn page(self) -> Result<Page, ApiError> {
        let default = Page::default();
        let limit = self.limit.unwrap_or(default.limit());
        Ok(Page::new(limit, self.offset.unwrap_or(default.offset()))?)
    }
}
