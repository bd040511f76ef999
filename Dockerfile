# The nightly run, the dashboards and the service in one image: docker build -t recsys . (see docs/operators.md).
FROM python:3.11.14-bookworm AS build
WORKDIR /src
# lightfm would otherwise be compiled for the very processor that builds the image
ENV LIGHTFM_NO_CFLAGS=1
COPY LICENSE MANIFEST.in NOTICE README.md pyproject.toml requirements.lock setup.py ./
COPY dashboards dashboards
COPY recsys recsys
COPY sql sql
RUN python -m venv /opt/recsys \
    && /opt/recsys/bin/pip install --no-cache-dir --disable-pip-version-check --constraint requirements.lock '.[all]'

FROM python:3.11.14-slim-bookworm
# The tag of the base image pins the release of Debian; its security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home recsys \
    && install --directory --owner recsys --mode 0700 /srv/music
COPY --from=build /opt/recsys /opt/recsys
ENV PATH=/opt/recsys/bin:$PATH RECSYS_HOME=/srv/music PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /srv/music
ENTRYPOINT ["recsys"]
CMD ["doctor"]
