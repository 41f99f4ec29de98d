#!/usr/bin/env bash
# Installs the real servers and clients that the tests meet, with Debian's package manager; needs root.
# What can't be had is left out: a test whose peer is missing is skipped, and says so.
set -euo pipefail
missing=()
for pair in nginx:nginx-light curl:curl node:nodejs ip:iproute2 unshare:util-linux tcpdump:tcpdump \
  chromium:chromium chromedriver:chromium-driver tinyproxy:tinyproxy-bin squid:squid-openssl openssl:openssl \
  nghttp:nghttp2-client nghttpd:nghttp2-server nghttpx:nghttp2-proxy haproxy:haproxy microsocks:microsocks \
  danted:dante-server sshd:openssh-server ssh:openssh-client; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null || true
fi
