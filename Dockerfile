FROM node:24-slim AS build
# better-sqlite3 is compiled where no ready binary can be had, against the headers that the image brings.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
ENV npm_config_nodedir=/usr/local
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && npm prune --omit=dev && chmod +x dist/main.js

FROM node:24-slim
ENV NODE_ENV=production \
    BERTH_LISTEN=0.0.0.0:5000 \
    BERTH_ALLOW_PLAIN_HTTP=true \
    BERTH_STORAGE_DATA=/var/lib/berth
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/berth && ln -s /app/dist/main.js /usr/local/bin/berth
# A number, so that Kubernetes can tell it is not root. Only the volume is written to: a read-only root will do.
USER 1000:1000
VOLUME /var/lib/berth
EXPOSE 5000
# By HTTP or, where it has a certificate, by HTTPS; whose, does not matter here.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "--no-warnings", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; const ask = (scheme) => fetch(scheme + '://127.0.0.1:' + process.env.BERTH_LISTEN.split(':').pop() + '/healthz'); ask('http').catch(() => ask('https')).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: signals reach Node.js.
# A small young generation: chunks from sockets are garbage at once, and need not fill the memory first.
ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/dist/main.js"]
CMD ["serve"]
