# Built once with everything, run with what serving needs.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci
COPY src src
RUN node node_modules/typescript/bin/tsc -p src && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production DISCODB_HOST=0.0.0.0 DISCODB_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 27017
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "dist/main.js", "ping"]
CMD ["node", "dist/main.js", "serve"]
