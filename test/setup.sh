#!/usr/bin/env bash
# Installs what the client tests, the conformance suite and the benchmark drive: real daemons and clients.
# For Debian 12 as root, with Node.js, npm and Go present. Safe to run again: what is there is left alone.
#
#   bash test/setup.sh            # tools go to $BERTH_TOOLS, default ~/.cache/berth-tools
#
# Versions are pinned, so that a red test means a change of Berth's and not of a client's.
set -euo pipefail

tools="${BERTH_TOOLS:-$HOME/.cache/berth-tools}"

debian_packages=(
  docker.io containerd runc        # dockerd 20.10: the graph driver generation
  podman skopeo buildah            # containers/image
  busybox-static zstd              # what the test images are made of
  nginx wrk                        # the benchmark's yardsticks and load
  chromium                         # what the pages are looked at with
  strace                           # what is synced before an answer
  openssl curl iproute2 e2fsprogs ca-certificates
)

# folder below $tools | package to build | version. Folders keep apart names that Debian's packages have too.
# `within` a module of our own: go install refuses a package whose go.mod has exclude directives.
go_binaries=(
  'bin|github.com/google/go-containerregistry/cmd/crane|v0.22.1'
  'bin|oras.land/oras/cmd/oras|v1.3.6'
  'bin|github.com/regclient/regclient/cmd/regctl|v0.11.7'
  'bin|helm.sh/helm/v4/cmd/helm|v4.3.1'
  'bin|github.com/letsencrypt/pebble/v2/cmd/pebble|v2.10.1'
  'bin|github.com/sigstore/cosign/v3/cmd/cosign|v3.1.3'
  'bin|github.com/distribution/distribution/v3/cmd/registry|v3.1.2'
  'bin|github.com/moby/buildkit/cmd/buildctl|v0.34.2|within'
  'bin|github.com/moby/buildkit/cmd/buildkitd|v0.34.2|within'
  'bin|github.com/opencontainers/distribution-spec/conformance|v0.0.0-20260831232431-97274622c111'
  'containerd-2|github.com/containerd/containerd/v2/cmd/containerd|v2.4.2'
  'containerd-2|github.com/containerd/containerd/v2/cmd/ctr|v2.4.2'
  'containerd-2|github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2|v2.4.2'
  'dockerd-29|github.com/moby/moby/v2/cmd/dockerd|v2.0.0-beta.24'
)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "${debian_packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done
}

# Debian starts a service when its package is installed; the tests start daemons of their own, in folders of their own.
forbid_service_starts() {
  local policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

install_packages() {
  local missing
  command -v dpkg-query >/dev/null || die "this is not Debian; install by hand: ${debian_packages[*]}"
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || die "must be root to install: ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  forbid_service_starts
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
}

# A Go binary records what it was built from: no stamp file that could lie.
is_built() { # binary module-path version
  [ -x "$1" ] && go version -m "$1" 2>/dev/null | awk -v path="$2" -v version="$3" '
    $1 == "path" { path_fits = ($2 == path) }
    $1 == "mod" { version_fits = ($3 == version) }
    END { exit !(path_fits && version_fits) }'
}

build() { # package version folder how
  # Without cgo no C compiler and no -dev packages are needed, and nothing here loses what the tests use.
  export CGO_ENABLED=0 GOBIN="$3"
  [ "$4" = within ] || { go install -ldflags='-s -w' "$1@$2"; return; }
  local module
  module=$(mktemp -d) && cd "$module" && go mod init tools && go get "$1@$2" && go install -ldflags='-s -w' "$1" && rm -r "$module"
}

install_go_binaries() {
  local line folder package version how binary output
  command -v go >/dev/null || die 'Go is needed to build the clients; see https://go.dev/dl'
  for line in "${go_binaries[@]}"; do
    IFS='|' read -r folder package version how <<<"$line"
    binary="$tools/$folder/${package##*/}"
    is_built "$binary" "$package" "$version" && continue
    say "building ${package##*/} $version"
    mkdir -p "$tools/$folder"
    output=$(build "$package" "$version" "$tools/$folder" "$how" 2>&1) || die "$output"
  done
}

install_packages
install_go_binaries
say "ready: $tools"
