# `digits predict` and `digits app` with LiteRT, without TensorFlow and DVC.
#
#   dvc pull data/model.tflite          # or make
#   docker build --tag digits .
#   docker run --rm --read-only --publish 127.0.0.1:8000:8000 digits
#   docker run --rm --read-only --volume "$PWD:/pictures:ro" digits predict /pictures/7.jpg
FROM python:3.12-slim AS build
COPY pyproject.toml README.md requirements.txt /source/
COPY digits /source/digits
WORKDIR /source
# The locked versions of what the small install needs.
RUN sed -nE 's/^([A-Za-z0-9._-]+==[^\\]+).*/\1/p' requirements.txt > constraints.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[app]' \
    && /venv/bin/pip uninstall --yes pip

FROM python:3.12-slim
COPY --from=build /venv /venv
COPY data/model.tflite /digits/data/model.tflite
WORKDIR /digits
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65534:65534
EXPOSE 8000
ENTRYPOINT ["digits"]
CMD ["app", "--host", "0.0.0.0", "--no-browser"]
