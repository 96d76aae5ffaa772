# The image of StickyIngress: the program with its runtime on a base that has libc and OpenSSL, and needs no shell.
#
#   docker build .                                        everything in containers; takes BuildKit, which leaves out the stage "published"
#   make image                                            published here, then copied (--target published)
#
# Both bases are build arguments and may be NAME:TAG, NAME@sha256:DIGEST or the id of an image that is here. Of the defaults the digest decides, and the
# tag says what it was. The base has no runtime: that comes with the program (see Image.pubxml).
ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled@sha256:dc5cd0c7d0a39b825312b4f0986d99b9adf9b6a3af69bc23cd345c27d9ed916a
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0.401-noble@sha256:e70cdb7f80b0348f5cb85f19a8f670fca061f033d57eed12fa003d58b0e06317

FROM ${BASE} AS runtime
WORKDIR /app
# No diagnostics socket: the root file system is read-only, and nothing but the program uses /tmp.
ENV DOTNET_EnableDiagnostics=0
USER 65532:65532
EXPOSE 8080 8443 9090
# The program itself is process 1 and takes SIGTERM.
ENTRYPOINT ["/app/sticky-ingress"]
CMD ["run", "--kubernetes"]

FROM runtime AS published
ARG PUBLISHED=artifacts/image
COPY ${PUBLISHED}/ /app/

FROM ${SDK} AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/StickyIngress --nologo -p:PublishProfile=Image --output /published

FROM runtime
COPY --from=build /published/ /app/
