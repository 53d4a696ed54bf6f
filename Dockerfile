# docker build -t bulkrm .
# docker run --rm -ti -v bulkrm-state:/state bulkrm -u username -p myregistry:5000/myrepo/myimage:latest

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bulkrm ./bulkrm
# An environment without pip of its own: nothing in the final image installs anything.
RUN python -m venv --without-pip /opt/bulkrm \
    && pip --python /opt/bulkrm/bin/python install --no-cache-dir .

FROM python:3.13-slim
# A numeric id, so that Kubernetes can tell that it is not root. Docker's config.json may be mounted in this home.
# /state is where runs are recorded, so that they can be resumed and undone; open like /tmp, for `--user`.
RUN useradd --uid 10001 --create-home --home-dir /home/bulkrm --shell /usr/sbin/nologin bulkrm \
    && install -d -m 1777 /state
COPY --from=build /opt/bulkrm /opt/bulkrm
ENV PATH="/opt/bulkrm/bin:$PATH" BULKRM_STATE_DIR=/state
VOLUME /state
USER 10001:10001
# List files and reports: docker run -v "$PWD:/work" ...
WORKDIR /work
ENTRYPOINT ["bulkrm"]
