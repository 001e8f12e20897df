#!/usr/bin/env bash
# Chromium for the tests in a real browser; where it cannot be installed they skip themselves, which is said.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing chromium for the tests in a browser"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } \
    >/dev/null 2>&1 && exit 0
fi
echo "There is no chromium, and it could not be installed (on Debian: sudo apt-get install chromium):" \
  "the tests in a browser will be skipped"
