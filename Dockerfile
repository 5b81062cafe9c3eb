# The service alone: Redis and Postgres are named by REDIS_URL and DATABASE_URL (see compose.yaml).
# `npm run check -- image` runs these very steps without a container engine, and tries the result.

# Named, not `lts`: a rebuild must not change the major by itself. 26 is in long-term support until April 2029.
ARG NODE_MAJOR=26

FROM node:${NODE_MAJOR}-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY client client
COPY storefront storefront
COPY console console
COPY docs/runbook.md docs/
COPY scripts scripts
COPY test test
COPY campaigns campaigns
COPY checks checks
COPY perf perf
COPY demo demo
RUN npx tsc && npx tsc -p storefront && node scripts/bundle.mjs && node scripts/assets.mjs

# Without development tools and without the binaries of the private PostgreSQL; no install script runs.
FROM node:${NODE_MAJOR}-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:${NODE_MAJOR}-slim
ARG VERSION=unversioned
ARG REVISION=unknown
LABEL org.opencontainers.image.title="flashsale" \
      org.opencontainers.image.description="A flash-sale server that sells nothing twice and loses nothing" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/data
# The user `node` of the base image, by number, so that a host can tell that it is not root.
RUN mkdir /data && chown 1000:1000 /data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/service dist/service
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/perf dist/perf
COPY --from=build /app/dist/assets dist/assets
COPY package.json ./
# `npm run audit` and `npm run forget-buyer`.
COPY scripts scripts
COPY lua lua
COPY sql sql
USER 1000:1000
# Attempts that are not yet in Postgres: keep it, or they are lost with the container.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Straight to node: npm would not pass signals on. SIGTERM drains; allow it 30 s before SIGKILL.
CMD ["node", "dist/service/primary/main.js"]
