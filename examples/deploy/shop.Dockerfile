# syntax=docker/dockerfile:1

# The shop of examples/session-stores, for compose.yaml. Built in the root of the repository.

FROM node:24-bookworm-slim
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
# The example names limpet's packages for its own gateway, which is not started here: their manifests are enough.
COPY packages packages
COPY examples/demo examples/demo
COPY examples/session-stores examples/session-stores
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod --no-optional --filter '@limpet-example/session-stores...'
ENV NODE_ENV=production HOST=0.0.0.0
USER node
EXPOSE 3000
ENTRYPOINT ["node", "examples/session-stores/backend.ts"]
CMD ["shop", "3000"]
