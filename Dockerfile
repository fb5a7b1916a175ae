# The reference server: one binary on a small Debian, without root.
#
#   docker build -t saltmine-server .
#   docker run -p 8787:8787 -v saltmine:/data \
#     -e INKEEP_ANON_JWT_SECRET="$(openssl rand -hex 32)" -e INKEEP_POW_HMAC_SECRET="$(openssl rand -hex 32)" \
#     saltmine-server

FROM rust:1-slim-bookworm AS build
# The image's C compiler makes the bundled SQLite and the TLS library. `rust-toolchain.toml` is left out: it names
# the wasm target, which the server does not need.
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
# The caches stay on the machine that builds, and out of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package saltmine-server \
 && install -D target/release/saltmine-server /out/saltmine-server

FROM debian:bookworm-slim
# Certificates, for a database or an agent behind TLS.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --create-home saltmine
COPY --from=build /out/saltmine-server /usr/local/bin/saltmine-server
USER saltmine
WORKDIR /data
VOLUME /data
ENV HOST=0.0.0.0 \
    PORT=8787 \
    DATABASE_URL=sqlite:///data/saltmine.db
EXPOSE 8787
# Requests the admin listener if SALTMINE_ADMIN_ADDRESS is set. Without it, the check fails at the connection limit. The time limit of the command itself is 5 s.
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["saltmine-server", "health"]
# The server ends on SIGTERM, which Docker sends, once it has drained and finished the pending responses: give it more
# time than SALTMINE_DRAIN_SECONDS and SALTMINE_SHUTDOWN_SECONDS together.
STOPSIGNAL SIGTERM
ENTRYPOINT ["saltmine-server"]
