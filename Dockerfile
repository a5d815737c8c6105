# dermaug with PyTorch for CPUs; for a GPU: --build-arg TORCH_OPTIONS=
FROM python:3.12-slim
ARG TORCH_OPTIONS="--index-url https://download.pytorch.org/whl/cpu"
RUN pip install --no-cache-dir torch torchvision $TORCH_OPTIONS
COPY pyproject.toml README.md LICENSE /source/
COPY src /source/src
COPY experiments /source/experiments
RUN pip install --no-cache-dir /source && rm -r /source
WORKDIR /work
ENTRYPOINT ["dermaug"]
CMD ["--help"]
