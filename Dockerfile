# The image of the API, the workers and the command line: one image, `command` says which (docker-compose.yml).
# No step needs BuildKit. Targets: `demo` is for the compose file's demo profile; the last one, `trivault`, is the default.

# The sources alone, readable whatever the umask of whoever cloned them.
FROM node:24-trixie-slim AS sources
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
COPY apps apps
COPY packages packages
RUN rm -rf packages/testkit/src && chmod -R a+rX .

# What npm needs to see. A stage of its own: as long as these files stay the same, so does the cached `npm ci` below.
FROM sources AS manifests
RUN find apps packages -mindepth 2 -maxdepth 2 -not -name package.json -exec rm -rf {} +

FROM node:24-trixie-slim AS packages
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=manifests /app ./
# The npm package `node` (190 MB) is for machines with another Node; here the base image's own takes its place. ssh2's
# addon is built for that one, and the build fails without it: ssh2 would silently fall back to slow ciphers. TypeScript
# (30 MB) comes as an optional peer of a library and is needed by nothing here.
RUN npm ci --omit=dev --ignore-scripts --loglevel=notice --no-audit --no-fund \
 && rm -rf node_modules/node \
 && ln -sf "$(command -v node)" node_modules/.bin/node \
 && node scripts/build-native.mjs \
 && node -e 'require("ssh2/lib/protocol/crypto/build/Release/sshcrypto.node")' \
 && rm -rf node_modules/typescript node_modules/@typescript node_modules/.cache

# Debian's package of the PostgreSQL client depends on Perl (55 MB), for wrappers that Trivault passes by.
FROM node:24-trixie-slim AS postgresql
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*

FROM node:24-trixie-slim AS runtime
COPY --from=postgresql /usr/lib/postgresql /usr/lib/postgresql
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libpq5 libreadline8t64 zstd \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && for program in pg_dump pg_restore psql; do /usr/lib/postgresql/*/bin/$program --version || exit 1; done \
# A new named volume takes its owner and mode from the folder of the image that it covers.
 && install -d -o node -g node -m 700 /backups /spool /etc/trivault \
 && install -d -o node -g node -m 755 /redis-secret \
 && mkdir /app \
# The demo profile hands its settings over as a file in a volume.
 && ln -s /etc/trivault/env /app/.env
ENV NODE_ENV=production BACKUP_DIR=/backups BACKUP_SPOOL_DIR=/spool npm_config_cache=/tmp/npm npm_config_update_notifier=false
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=sources /app ./
USER node
STOPSIGNAL SIGTERM
CMD ["node", "--max-semi-space-size=2", "apps/worker/src/main.js"]

# The runtime, and beside it the sample database's generator and an S3 server from npm (no storage for real backups).
FROM runtime AS demo
USER root
COPY deploy/demo/package.json deploy/demo/package-lock.json deploy/demo/
RUN npm ci --prefix deploy/demo --loglevel=notice --no-audit --no-fund && install -d -o node -g node -m 700 /bucket
COPY packages/testkit packages/testkit
COPY deploy/demo deploy/demo
RUN chmod -R a+rX packages/testkit deploy
USER node
CMD ["node", "deploy/demo/demo.mjs"]

FROM runtime AS trivault
