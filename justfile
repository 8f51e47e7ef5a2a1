# What people and CI run here; `just` alone lists it.

[private]
default:
    @just --list --unsorted

# Compile everything, fast
check:
    cargo check --workspace --all-targets --locked

# Format the code
fmt:
    cargo fmt

# Lint the code, the shell scripts, the Dockerfile and this file
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    scripts/lint-files

# Run every test that needs nothing but this machine
test:
    cargo test --workspace --locked

# Run the suites against PostgreSQL, on a temporary cluster
test-postgres:
    scripts/with-postgres scripts/test-postgres

# Run the suites against PostgreSQL with pgvector, on a temporary cluster
test-pgvector:
    scripts/with-pgvector scripts/test-pgvector

# Run the suite of the local embedding model, which is fetched first
test-local-model:
    scripts/test-local-model

# Check every Pinecone request against Pinecone's API description
test-prism:
    scripts/with-prism

# Check what goes over the wire as OpenAI's against OpenAI's schemas
test-openai-schema:
    scripts/check-openai-bodies

# Have the official OpenAI packages, curl and a browser talk to a real server
test-chat-clients:
    scripts/test-chat-clients

# Have people of two real OpenID providers use two real servers
test-identity-providers:
    scripts/test-identity-providers

# Build the documentation; warnings are errors
doc:
    RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --all-features --no-deps --locked

# Check licences, sources, banned crates and known advisories
deny:
    scripts/deny

# Lint each crate alone, without features and with each of its features
features:
    scripts/each-feature

# Package every crate as it would be published
package:
    scripts/package

# Start the server with the environment of this shell
run *arguments:
    cargo run --locked -- serve {{ arguments }}

# Two tenants, their documents and two different answers, from nothing
quickstart *arguments:
    scripts/quickstart {{ arguments }}

# Measure what docs/performance.md states
bench *arguments:
    cargo bench --workspace --locked {{ arguments }}

# Everything a change must pass
ci:
    .ci/run
