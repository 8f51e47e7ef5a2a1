//! What decides how questions are answered.

use super::{Unset, Variable};

/// The models that tenants may choose.
pub const OPENAI_CHAT_MODELS: Variable = Variable {
    name: "OPENAI_CHAT_MODELS",
    meaning: "More models of the provider that the admins of tenants may choose besides `OPENAI_CHAT_MODEL`",
    unset: Unset::Means("`OPENAI_CHAT_MODEL` alone"),
    expected: "names of models, without blanks, separated by commas",
};

/// Where tenants' own model servers may be although not public.
pub const TENANT_LLM_ORIGINS: Variable = Variable {
    name: "TENANT_LLM_ORIGINS",
    meaning: "Where tenants' own providers may be although not at a public `https://` address, as model servers in the house",
    unset: Unset::Means("public `https://` addresses alone"),
    expected: "a comma list of origins as `http://llm.internal:8000`, without a path, a slash at the end or a wildcard",
};

/// How many answers are made at once.
pub const MAX_STREAMS: Variable = Variable {
    name: "MAX_STREAMS",
    meaning: "How many answers this server makes at once",
    unset: Unset::Default("4096"),
    expected: "a whole number from 1 to 20000",
};

/// How many answers a user may have at once.
pub const STREAMS_PER_USER: Variable = Variable {
    name: "STREAMS_PER_USER",
    meaning: "How many of them may be for one user, unless the tenant's settings say otherwise",
    unset: Unset::Default("16"),
    expected: "a whole number from 1 to 10000",
};

/// How many answers a tenant may have at once.
pub const STREAMS_PER_TENANT: Variable = Variable {
    name: "STREAMS_PER_TENANT",
    meaning: "How many of them may be for one tenant, unless its settings say otherwise",
    unset: Unset::Default("256"),
    expected: "a whole number from 1 to 10000",
};

/// How long the first piece of an answer may take.
pub const LLM_FIRST_TOKEN_SECONDS: Variable = Variable {
    name: "LLM_FIRST_TOKEN_SECONDS",
    meaning: "How long a model may take to the first piece of its text, in seconds",
    unset: Unset::Default("30"),
    expected: "a whole number from 1 to 3600",
};

/// How long the next piece of an answer may take.
pub const LLM_BETWEEN_TOKENS_SECONDS: Variable = Variable {
    name: "LLM_BETWEEN_TOKENS_SECONDS",
    meaning: "How long a model may take from one piece of its text to the next, in seconds",
    unset: Unset::Default("30"),
    expected: "a whole number from 1 to 3600",
};

/// How long an answer may take.
pub const LLM_TOTAL_SECONDS: Variable = Variable {
    name: "LLM_TOTAL_SECONDS",
    meaning: "How long an answer may take in all, in seconds",
    unset: Unset::Default("600"),
    expected: "a whole number from 1 to 3600",
};
