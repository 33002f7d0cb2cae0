# One image for all services, the migrations and the operators' `eco2`: which of them is its command.
#
#   docker build --tag eco2 .            or, without Docker and without a registry: make image
#   docker run --read-only --tmpfs /tmp eco2 python -m scan_svc
ARG BASE=debian:bookworm-slim

# The system: Python and what it needs, nothing that changes its user, no addresses of this machine.
FROM ${BASE} AS system
RUN command -v python3 >/dev/null || { \
        apt-get update && apt-get install --yes --no-install-recommends python3 ca-certificates; \
    }; \
    apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} + && \
    # Bytecode that holds whatever the times of files say: an image's are all the same.
    python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3*/ /usr/share/python3 && \
    echo 'eco2:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'eco2:x:10001:' >> /etc/group

# Left behind: installers, the model's weights, the sources.
FROM system AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
WORKDIR /src
# The secret, if there is one, says how packages are reached from here.
COPY requirements-image.lock requirements.lock ./
RUN --mount=type=secret,id=index,target=/run/index --mount=type=cache,target=/root/.cache \
    if [ -f /run/index ]; then . /run/index; fi && \
    python3 -m venv /build && \
    /build/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-image.lock && \
    /build/bin/uv venv --quiet --python /usr/bin/python3 /opt/eco2 && \
    /build/bin/uv pip install --quiet --python /opt/eco2 --link-mode=copy --require-hashes -r requirements.lock
COPY . .
COPY --from=system /var/lib/dpkg/status /dpkg-status
ARG VERSION=unknown SOURCE_DATE_EPOCH=0
RUN PYTHONPATH=/src:$(/build/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
        /opt/eco2/bin/python -m vision_svc.model.convert && \
    /build/bin/hatchling build --target wheel --directory /dist && \
    /build/bin/uv pip install --quiet --python /opt/eco2 --no-cache --no-deps /dist/*.whl && \
    find /opt/eco2 '(' -name uv_cache.json -o -name .lock ')' -delete && \
    /opt/eco2/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/eco2/lib && \
    /build/bin/cyclonedx-py environment --output-reproducible --of JSON -o /opt/eco2/sbom.json /opt/eco2/bin/python && \
    /build/bin/python image/materials.py /opt/eco2/sbom.json /dpkg-status "$VERSION"

# Nothing lies below these: what `system` removed isn't in the image at all.
FROM scratch
ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="Eco²" \
      org.opencontainers.image.description="A waste-sorting service as a gRPC mesh" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
COPY --from=system / /
COPY --from=build /opt/eco2 /opt/eco2
ENV PATH=/opt/eco2/bin:/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A number, by which Kubernetes sees that it isn't root. It owns nothing; what is written goes to /tmp.
USER 10001:10001
CMD ["python", "-m", "all_in_one"]
