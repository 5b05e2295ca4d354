# The page: built by Vite, served by the frontend's own static server, which needs nothing but Node.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
# Exactly the locked packages, each held against its hash. Their install scripts do not run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${NODE_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cruddur-frontend" \
      org.opencontainers.image.description="Sample page that signs in at Amazon Cognito" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /app/serve.mjs /app/settings.mjs /app/
COPY --from=build /app/dist /app/dist
COPY deploy/docker/health.mjs /app/
ENV NODE_ENV=production \
    FRONTEND_HOSTS=0.0.0.0
WORKDIR /app
USER 10001:10001
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "health.mjs", "http://127.0.0.1:3000/config.json"]
ENTRYPOINT ["node", "serve.mjs"]
