#!/usr/bin/env bash
# Makes stand-ins for the public base images where none can be pulled, from Debian's own packages,
# under the very names the Dockerfiles use. For proving that the images build and run on a machine
# without access to an image registry; what is published is built on the real bases.
#
# Needs debootstrap and buildah, and root. Debian 13 has Python 3.13 and Node 20: the latter stands
# in for node:22-slim.
set -euo pipefail

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
packages=python3,python3-venv,python3-pip,ca-certificates,nodejs,npm
debootstrap --variant=minbase --include="$packages" trixie "$root"
rm -rf "$root"/var/cache/apt "$root"/var/lib/apt/lists "$root"/dev/*
container=$(buildah from scratch)
buildah add "$container" "$root" / >/dev/null
buildah config --cmd python3 --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
for name in python:3.13-slim node:22-slim; do
  buildah commit --quiet "$container" "docker.io/library/$name"
done
buildah rm "$container" >/dev/null
