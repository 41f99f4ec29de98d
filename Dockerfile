# loadgen in a small image, not as root. Results land in /results, and a server on this machine needs its network:
#   docker build -t loadgen . && docker run --rm -v "$PWD/results:/results/results" --network host loadgen compare http://127.0.0.1:8080/
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml setup.py constraints.txt README.md LICENSE ./
COPY loadgen ./loadgen
COPY locustfiles ./locustfiles
RUN python -m venv /opt/loadgen && /opt/loadgen/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.13-slim
COPY --from=build /opt/loadgen /opt/loadgen
RUN useradd --create-home --uid 10001 loadgen && mkdir /results && chown loadgen /results
USER loadgen
WORKDIR /results
ENV PATH="/opt/loadgen/bin:$PATH" MPLCONFIGDIR=/tmp/matplotlib
ENTRYPOINT ["loadgen"]
CMD ["--help"]
