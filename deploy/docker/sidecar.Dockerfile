# The sidecar: Python, the locked packages, the package `sidecar`. No compiler, no pip of its own,
# nothing that is written to at run time.
#
#   deploy/docker/build.sh          all images, with docker, podman or buildah
#
# PYTHON_IMAGE may be given with a digest (python:3.13-slim@sha256:...), so that the base is pinned
# like the packages are.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements.lock .
# Wheels only: nothing is compiled, and a package that ships no wheel for this machine is an error
# here and not a compiler's. Bytecode is bound to the source's hash, so that two builds are alike.
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --no-cache-dir --python /opt/venv/bin/python3 install --no-compile \
      --no-deps --only-binary :all: --require-hashes -r requirements.lock \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib
COPY deploy/docker/health.py /app/
COPY sidecar /app/sidecar
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cognito-sidecar" \
      org.opencontainers.image.description="Verifies Amazon Cognito tokens in front of a backend" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python3", "-I", "/app/health.py", "http://127.0.0.1:8081/readyz"]
ENTRYPOINT ["python3", "-m", "sidecar"]
