# The sample backend under gunicorn. It believes two headers: it must run in the sidecar's network
# namespace and bind to loopback, which is its default.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY deploy/docker/backend.lock .
RUN python3 -m venv --without-pip /opt/venv \
 && python3 -m pip --no-cache-dir --python /opt/venv/bin/python3 install --no-compile \
      --no-deps --only-binary :all: --require-hashes -r backend.lock \
 && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib \
 && mkdir /state
COPY deploy/docker/health.py /app/
COPY backend /app/backend
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cruddur-backend" \
      org.opencontainers.image.description="Sample API that reads two identity headers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# A named volume mounted here takes over this owner.
COPY --from=build --chown=10001:10001 /state /state
VOLUME ["/state"]
# gunicorn's heartbeat files go to memory: the root file system is read-only.
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GUNICORN_CMD_ARGS="--worker-tmp-dir /dev/shm" \
    BACKEND_DATABASE=/state/backend.sqlite3
WORKDIR /app
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python3", "-I", "/app/health.py", "http://127.0.0.1:4567/health"]
ENTRYPOINT ["python3", "-m", "gunicorn", "-c", "backend/gunicorn.conf.py", "backend.app:create_app()"]
