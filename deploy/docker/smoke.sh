#!/usr/bin/env bash
# Runs the built images and walks the main story through them: sign in at the local Cognito, ask
# the backend through the sidecar. Ends everything it started.
#
# ENGINE        docker or podman; default: the first that works
# TAG           default: dev
# PORTS         added to every port, so that nothing in the way is disturbed; default: 7050
# RUN_OPTIONS   more words for `run`, e.g. --ulimit nofile=1024:1024
# ENGINE_OPTIONS  words before it, e.g. --runtime runc
#
# All containers share the host's network here (Linux), which needs no bridge and no privilege
# that a build machine may lack. `docker compose up` gives the backend the sidecar's namespace.
set -euo pipefail
cd "$(dirname "$0")"

engine=${ENGINE:-}
if [ -z "$engine" ]; then
  if docker info >/dev/null 2>&1; then engine=docker
  elif command -v podman >/dev/null; then engine=podman
  else echo "smoke.sh: docker or podman is needed" >&2; exit 1
  fi
fi
read -r -a run_options <<< "${RUN_OPTIONS:-}"
read -r -a engine_options <<< "${ENGINE_OPTIONS:-}"
tag=${TAG:-dev}
offset=${PORTS:-7050}
cognito=$((4566 + offset)) backend=$((4567 + offset)) public=$((8080 + offset))
admin=$((8081 + offset)) frontend=$((3000 + offset))
name=smoke-$$
pool=$(mktemp -d)
chmod 777 "$pool" # the containers' user is nobody on this machine

engine_run() { # NAME, then the words of `run`
  local part=$1; shift
  "$engine" "${engine_options[@]}" run --detach --no-healthcheck --name "$name-$part" \
    --network host --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges \
    "${run_options[@]}" "$@" >/dev/null
}

clean_up() {
  status=$?
  trap '' PIPE # whoever reads our output may have gone; the containers must go all the same
  set +e
  for part in frontend backend sidecar cognito; do
    if [ $status -ne 0 ]; then
      echo "--- $part" >&2
      "$engine" logs "$name-$part" 2>&1 | tail -20 >&2
    fi
    "$engine" rm --force --volumes "$name-$part" >/dev/null 2>&1 || true
  done
  rm -rf "$pool"
  exit $status
}
trap clean_up EXIT
trap 'exit 1' HUP INT PIPE TERM # bash runs the trap above then, too

await() { # PART, then what its health check asks, until it holds
  local part=$1
  for _ in $(seq 120); do
    if health "$@" >/dev/null 2>&1; then echo "ok: $part is up"; return; fi
    sleep 0.5
  done
  echo "not ok: $part does not become healthy" >&2
  return 1
}

# The images' own health checks, where they will run.
health() { # PART, then URL [FILE]
  local part=$1 command=(python3 -I health.py); shift
  [ "$part" != frontend ] || command=(node health.mjs)
  "$engine" "${engine_options[@]}" exec "$name-$part" "${command[@]}" "$@"
}

engine_run cognito -v "$pool:/pool" --volume /state \
  -e STAND_IN_PORT=$cognito -e STAND_IN_HOST=127.0.0.1 \
  -e STAND_IN_URL=http://127.0.0.1:$cognito -e STAND_IN_PUBLIC_URL=http://127.0.0.1:$cognito \
  "local-cognito:$tag"
await cognito "http://127.0.0.1:$cognito/_ministack/ready" /pool/sidecar.toml

engine_run sidecar -v "$pool:/pool:ro" -e SIDECAR_CONFIG=/pool/sidecar.toml \
  -e SIDECAR_LISTEN=127.0.0.1:$public -e SIDECAR_ADMIN_LISTEN=127.0.0.1:$admin \
  -e SIDECAR_UPSTREAM=http://127.0.0.1:$backend \
  -e SIDECAR_CORS_ORIGINS=http://localhost:$frontend "cognito-sidecar:$tag"
await sidecar "http://127.0.0.1:$admin/readyz"

engine_run backend --volume /state -e BACKEND_BIND=127.0.0.1:$backend \
  -e FRONTEND_URL=http://localhost:$frontend "cruddur-backend:$tag"
await backend "http://127.0.0.1:$backend/health"

engine_run frontend --env-file "$pool/frontend.env" -e FRONTEND_PORT=$frontend \
  -e FRONTEND_HOSTS=127.0.0.1 -e VITE_API_URL=http://127.0.0.1:$public \
  "cruddur-frontend:$tag"
await frontend "http://127.0.0.1:$frontend/config.json"

# The story itself runs in the image that knows how to sign in.
"$engine" "${engine_options[@]}" run --rm --no-healthcheck --name "$name-story" --network host --read-only \
  --cap-drop all --security-opt no-new-privileges "${run_options[@]}" -v "$pool:/pool:ro" \
  -v "$PWD/story.py:/app/story.py:ro" --entrypoint python3 "local-cognito:$tag" \
  story.py /pool/demo.json "http://127.0.0.1:$public" "http://127.0.0.1:$frontend"

for part in sidecar backend frontend cognito; do
  "$engine" stop --time 15 "$name-$part" >/dev/null
  code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name-$part")
  if [ "$code" != 0 ]; then echo "not ok: $part stopped with $code" >&2; exit 1; fi
  echo "ok: $part stops cleanly"
done
