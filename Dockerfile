# The service alone: Redis and Postgres are named by REDIS_URL and DATABASE_URL (see compose.yaml).

FROM node:lts-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY test test
COPY perf perf
RUN npx tsc

# Without development tools and without the binaries of the private PostgreSQL; no install script runs.
FROM node:lts-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:lts-slim
WORKDIR /app
ENV NODE_ENV=production DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/perf dist/perf
COPY package.json ./
COPY lua lua
COPY sql sql
USER node
# Attempts that are not yet in Postgres: keep it, or they are lost with the container.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD node -e "fetch('http://127.0.0.1:'+(process.env.PORT||8080)+'/readyz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
# Straight to node: npm would not pass signals on.
CMD ["node", "dist/src/primary/main.js"]
