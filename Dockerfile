# One image for every service of docker-compose.yml. Packages by the hashes of the production lock, the project as a
# wheel, a user without rights.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.production.lock requirements.lock ./
RUN python -m venv /opt/tiendo \
    && /opt/tiendo/bin/pip install --require-hashes -r requirements.production.lock
# The build tool too comes by its hash, into a place that does not go into the image.
RUN python -m venv /build/tools \
    && awk '/^[a-z0-9]/ {mine = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/} mine' requirements.lock \
        > tools.lock \
    && /build/tools/bin/pip install --require-hashes -r tools.lock
COPY pyproject.toml README.md ./
COPY etl etl
COPY sql sql
COPY expectations expectations
RUN /build/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build/wheel . \
    && /opt/tiendo/bin/pip install --no-deps /build/wheel/*.whl


FROM python:3.11.14-slim-bookworm

ENV PATH=/opt/tiendo/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    TIENDO_HOME=/data

RUN groupadd --gid 50000 tiendo \
    && useradd --uid 50000 --gid 50000 --home-dir /opt/airflow --no-create-home --shell /usr/sbin/nologin tiendo \
    && mkdir -p /opt/airflow/logs /data/inbox /data/notices \
    && chown -R tiendo:tiendo /opt/airflow /data
COPY --from=build /opt/tiendo /opt/tiendo
COPY dags /opt/airflow/dags
WORKDIR /opt/airflow
USER 50000:50000
CMD ["airflow", "version"]
