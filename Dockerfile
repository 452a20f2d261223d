# syntax=docker/dockerfile:1

# Builds, then forgets everything that only the build needs.
FROM node:22-bookworm-slim AS build
# better-sqlite3 takes a binary from its release page, or compiles itself where that cannot be reached: with the headers that are
# in the image already.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
ENV npm_config_nodedir=/usr/local
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
# To npm it is optional. Here it is not.
RUN node -e "new (require('better-sqlite3'))(':memory:')"
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/copy-assets.mjs scripts/bundle-replay.mjs scripts/
COPY adapters adapters/
COPY src src/
RUN npm run build
RUN npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules/
COPY --from=build /app/dist dist/
COPY package.json LICENSE ./
# The configuration is mounted here. The store is in the folder for data, which belongs to the one who runs: mount a volume with a
# name there, or the next container begins without it.
RUN mkdir -p /etc/zammad-pbx-bridge /var/lib/zammad-pbx-bridge && chown node:node /var/lib/zammad-pbx-bridge
VOLUME /var/lib/zammad-pbx-bridge
# No root, and nothing under /app belongs to this user.
USER node
STOPSIGNAL SIGTERM
# "Alive", not "ready": a PBX that is down is nothing that a new container mends.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/src/main.js", "health"]
ENTRYPOINT ["node", "/app/dist/src/main.js"]
CMD ["run"]
