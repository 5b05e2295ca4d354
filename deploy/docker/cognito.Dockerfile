# The local stand-in for Amazon Cognito, with the pool of deploy/aws/user-pool.yaml and two users
# whose passwords are in this repository. For development; it has no place near real users.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY deploy/docker/cognito.lock .
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --no-cache-dir --python /opt/venv/bin/python3 install --no-compile \
      --no-deps --only-binary :all: --require-hashes -r cognito.lock \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib \
 && mkdir /state /pool
COPY deploy/docker/health.py deploy/docker/stand_in.py /app/
COPY deploy/local /app/deploy/local
COPY deploy/aws/user-pool.yaml /app/deploy/aws/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="local-cognito" \
      org.opencontainers.image.description="Development stand-in for an Amazon Cognito user pool" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /state /state
COPY --from=build --chown=10001:10001 /pool /pool
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 4566
# The file is written last: once it is there, the pool and its users are too.
HEALTHCHECK --interval=2s --timeout=3s --start-period=60s --retries=5 \
  CMD ["python3", "-I", "/app/health.py", "http://127.0.0.1:4566/_ministack/ready", "/pool/sidecar.toml"]
ENTRYPOINT ["python3", "stand_in.py"]
