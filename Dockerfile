# Pin the images by digest before a release: `docker buildx imagetools inspect IMAGE` prints it; write IMAGE@sha256:...
FROM rust:1.95-slim-bookworm AS build

# The bundled OpenSSL and libpq are built from source: that takes perl and make beside the C compiler.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make perl \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src

# The same commit and date give the same binary, wherever it is built.
ARG SOURCE_DATE_EPOCH=0
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} \
    CARGO_INCREMENTAL=0 \
    CFLAGS="-ffile-prefix-map=/src=." \
    RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo"

# Not rust-toolchain.toml: it names the same compiler with components that a build does not need.
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY bins bins
RUN cargo build --release --locked --package tenantry \
    && install -D target/release/tenantry /out/tenantry \
    && install -d /out/data

# all-MiniLM-L6-v2, checked against the sums in the script: semantic search without a key.
FROM python:3.13-slim-bookworm AS model

WORKDIR /src
COPY scripts/fetch-model scripts/
RUN scripts/fetch-model /out/all-MiniLM-L6-v2

# No shell, no package manager; the user is 65532. Run it with a read-only root: it writes to /data alone.
FROM gcr.io/distroless/cc-debian12:nonroot

COPY --from=build /out/tenantry /usr/local/bin/tenantry
COPY --from=model /out/all-MiniLM-L6-v2 /usr/share/tenantry/all-MiniLM-L6-v2
COPY LICENSE-APACHE /usr/share/tenantry/all-MiniLM-L6-v2/LICENSE
COPY --from=build --chown=65532:65532 /out/data /data

ENV HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    MODEL_DIR=/usr/share/tenantry/all-MiniLM-L6-v2

USER 65532:65532
WORKDIR /data
EXPOSE 8000
# Mount a volume at /data to keep SQLite files. There is no VOLUME line: a forgotten anonymous volume loses data quietly.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/tenantry", "health"]
ENTRYPOINT ["/usr/local/bin/tenantry"]
CMD ["serve"]
