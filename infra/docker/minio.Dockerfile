# The last official image of MinIO, run by a user without rights; a named volume takes its owner from the folder that it lies over.
FROM debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171 AS folder
RUN mkdir /data /events

FROM minio/minio:RELEASE.2025-09-07T16-13-09Z@sha256:14cea493d9a34af32f524e538b8346cf79f3321eff8e708c1e2960462bd8936e
COPY --from=folder --chown=10002:10002 /data /data
# Where events wait for a broker that is away.
COPY --from=folder --chown=10002:10002 /events /events
USER 10002:10002
