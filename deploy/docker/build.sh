#!/usr/bin/env bash
# Builds the images with whatever there is: docker, podman or buildah.
#
#   deploy/docker/build.sh [sidecar backend cognito frontend]
#
# ENGINE         docker, podman or buildah; default: the first of them that works
# TAG            default: dev
# PYTHON_IMAGE, NODE_IMAGE    other bases, such as a mirror's or one with its digest
# PLATFORMS      docker only, e.g. linux/amd64,linux/arm64; several of them are built, not loaded
# BUILD_OPTIONS  more words for the build command. A builder behind a mirror mounts its own pip and
#                npm configuration this way: -v /etc/pip.conf:/etc/pip.conf:ro
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=${ENGINE:-}
if [ -z "$engine" ]; then
  if docker info >/dev/null 2>&1; then engine=docker
  elif command -v podman >/dev/null; then engine=podman
  elif command -v buildah >/dev/null; then engine=buildah
  else echo "build.sh: docker, podman or buildah is needed" >&2; exit 1
  fi
fi

tag=${TAG:-dev}
# The time of the last commit instead of now: the same sources give the same image.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
read -r -a options <<< "${BUILD_OPTIONS:-}"
options+=(--build-arg "VERSION=$tag")
options+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")

case $engine in
  docker)
    command=(docker buildx build)
    if [ -n "${PLATFORMS:-}" ]; then
      options+=(--platform "$PLATFORMS")
    else
      options+=(--load)
    fi ;;
  # HEALTHCHECK is a word of the docker format.
  podman) command=(podman build --format docker --timestamp "$SOURCE_DATE_EPOCH") ;;
  buildah) command=(buildah bud --format docker --timestamp "$SOURCE_DATE_EPOCH") ;;
  *) echo "build.sh: ENGINE must be docker, podman or buildah" >&2; exit 2 ;;
esac

name_of() {
  case $1 in
    sidecar) echo cognito-sidecar ;;
    backend) echo cruddur-backend ;;
    cognito) echo local-cognito ;;
    frontend) echo cruddur-frontend ;;
    *) echo "build.sh: no image called $1" >&2; exit 2 ;;
  esac
}

for image in "${@:-sidecar backend cognito frontend}"; do
  # Unquoted on purpose: the default is four words.
  for part in $image; do
    base=()
    if [ "$part" = frontend ]; then
      [ -z "${NODE_IMAGE:-}" ] || base=(--build-arg "NODE_IMAGE=$NODE_IMAGE")
    else
      [ -z "${PYTHON_IMAGE:-}" ] || base=(--build-arg "PYTHON_IMAGE=$PYTHON_IMAGE")
    fi
    "${command[@]}" "${options[@]}" "${base[@]}" \
      -f "deploy/docker/$part.Dockerfile" -t "$(name_of "$part"):$tag" .
  done
done
