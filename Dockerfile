# Builds the server in one stage and runs it in another, as a user without rights.
# For an NVIDIA card the second one needs the CUDA libraries: see compose.nvidia.yaml.
ARG RUNTIME=node:22-bookworm-slim
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# onnxruntime-node brings its libraries for every system, a quarter of a gigabyte.
RUN npm run build && npm prune --omit=dev \
  && rm -rf node_modules/onnxruntime-node/bin/*/darwin node_modules/onnxruntime-node/bin/*/win32

FROM ${RUNTIME}
# The recogniser's packages and the face's encoder are installed here, so that the container needs no network when it runs;
# whisper.node needs libgomp1.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ffmpeg libgomp1 libpocketsphinx3 pocketsphinx-en-us \
  && rm -rf /var/lib/apt/lists/*
# Images made for CUDA have neither Node nor its user.
COPY --from=build /usr/local/bin/node /usr/local/bin/node
RUN id node > /dev/null 2>&1 || useradd --create-home --uid 1001 node
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/package.json /app/config.yml /app/LICENSE ./
RUN mkdir -p /home/node/.cache/voice-chat /home/node/.cache/huggingface/hub && chown -R node:node /home/node/.cache
USER node
VOLUME /home/node/.cache/voice-chat /home/node/.cache/huggingface/hub
EXPOSE 8000
# Signals reach the server itself, which then lets replies end.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/server/cli.js"]
CMD ["start"]
