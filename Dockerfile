# syntax=docker/dockerfile:1.7
# The base is pinned by an exact tag. A digest would pin it harder; it is left to whoever builds, whose registry is the
# one to trust: `docker build --build-arg PYTHON_IMAGE=python:3.12.12-slim-bookworm@sha256:...`.
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

# ---------------------------------------------------------------- what the image is made of

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
# What is added to the core: `.[telemetry]` and so on; empty for none. They come from the development lock's versions.
ARG EXTRAS="telemetry redis"
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN python -m pip install --root-user-action=ignore "uv==${UV_VERSION}"
WORKDIR /app
COPY requirements.lock requirements-dev.lock pyproject.toml ./
# The lock has the hash of every file; nothing else gets in.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv /opt/venv \
    && VIRTUAL_ENV=/opt/venv uv pip install --require-hashes -r requirements.lock \
    && if [ -n "${EXTRAS}" ]; then \
         set -- ; for extra in ${EXTRAS}; do set -- "$@" --extra "${extra}"; done ; \
         uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
           "$@" -c requirements-dev.lock -o /tmp/extras.lock \
         && VIRTUAL_ENV=/opt/venv uv pip install --require-hashes -r /tmp/extras.lock ; \
       fi
COPY README.md LICENSE hatch_build.py ./
COPY agent ./agent
COPY tools ./tools
COPY api ./api
COPY evals ./evals
COPY prisma ./prisma
# Prisma's WebAssembly modules, fetched once with npm (a Node wheel brings it), checked by sha256, and put beside the code.
RUN --mount=type=cache,target=/root/.cache/uv \
    VIRTUAL_ENV=/opt/venv uv pip install --no-deps --editable . \
    && PYTHONPATH=/app PATH="/opt/venv/bin:${PATH}" python -m prisma.assets --bundle \
    && python -m compileall -q -j 0 agent tools api evals prisma

# ---------------------------------------------------------------- what runs

FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.title="deskclerk" \
      org.opencontainers.image.description="Office work over external systems, from a request in plain words." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 deskclerk \
    && useradd --system --uid 10001 --gid deskclerk --home-dir /data --shell /usr/sbin/nologin deskclerk \
    && install -d -o deskclerk -g deskclerk -m 0750 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# An editable install's path comes after site-packages, and the registry has packages named `tools` and `evals`: the root
# goes first. What is written goes to /data; the root file system may be read-only.
ENV PATH="/opt/venv/bin:${PATH}" \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DESKCLERK_CACHE=/data/cache \
    DESKCLERK_HOST=0.0.0.0 \
    DESKCLERK_LOG_FORMAT=json \
    HOME=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=120s --retries=3 \
    CMD ["python", "-m", "api.healthcheck"]
# Exec form: the signal reaches the server itself.
ENTRYPOINT ["deskclerk"]
CMD ["serve"]
