#!/usr/bin/env bash
# A real Asterisk for tests, without touching the host system and without root.
#
#   asterisk-lab.sh install 22|16 DIR     fetch and unpack; returns at once when DIR is there already
#   asterisk-lab.sh run DIR ARGUMENTS…    become Asterisk: `run DIR -f -C RUN/etc/asterisk.conf`
#
# install  fetches the Debian packages of one Asterisk (22 from forky, 16 from bullseye) and of the
#          libraries it needs, and unpacks them into DIR. Apt works with a state directory of its own,
#          no maintainer script runs, and dpkg's database is not touched.
# run      starts what was unpacked with the dynamic loader that was unpacked with it, so the glibc of
#          another Debian release does no harm. The process replaces this script: its id is Asterisk's.
#
# Exit status of install: 69 = cannot be had on this machine (no apt, no network, suite gone), said in
# one line; anything else but 0 = it should have worked.
# Environment: ASTERISK_LAB_MIRROR (default: the Debian mirror of this host's own apt sources),
#              ASTERISK_LAB_SUITE (another suite for the version).
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }
unavailable() { say "$@"; exit 69; }

# ---------------------------------------------------------------- install

# Dependencies of `asterisk` that the lab does without. Apt is told that they are there already, so that
# it fetches neither them nor what only they need.
not_wanted='adduser asterisk-config-custom asterisk-core-sounds-en lsb-base perl-base debconf dpkg tar media-types'

# Libraries that the loaded modules need; the others (ldap, odbc, snmp, jack, codec2 …) belong to modules
# that the lab does not load.
wanted_libs='^(libc6|libssl|libxml2|libsqlite3|zlib1g|libsrtp2|libresample1|libgsm1|libjwt)'

install_lab() {
  local version=${1:-} dir=${2:-} suite packages=asterisk tool
  case $version in
    22) suite=forky ;;
    16) suite=bullseye packages='asterisk asterisk-voicemail' ;;
    *) fail "install wants 22 or 16, and a directory" ;;
  esac
  [ -n "$dir" ] || fail 'install wants a directory'
  suite=${ASTERISK_LAB_SUITE:-$suite}
  if [ -f "$dir/asterisk-lab.version" ]; then return; fi
  for tool in apt-get apt-cache dpkg dpkg-deb tar flock; do
    command -v "$tool" >/dev/null || unavailable "no $tool here: a real Asterisk is taken from Debian's packages"
  done
  mkdir -p "$(dirname "$dir")"
  exec 9>"$dir.lock"
  flock -w 120 9 || fail "another process has been installing $dir for two minutes"
  if [ -f "$dir/asterisk-lab.version" ]; then return; fi
  rm -rf "$dir" "$dir.new"
  mkdir -p "$dir.new"
  fetch_and_unpack "$(cd "$dir.new" && pwd)" "$suite" "$packages"
  mv "$dir.new" "$dir"
  (become "$dir" -V) >/dev/null || { rm -rf "$dir"; fail 'the unpacked Asterisk does not start on this machine'; }
}

fetch_and_unpack() {
  local dir=$1 suite=$2 packages=$3 apt=$1/.apt mirror arch deb
  mirror=${ASTERISK_LAB_MIRROR:-$(apt-get --print-uris update 2>/dev/null |
    sed -n "s|^'\(.*/debian/*\)/dists/.*|\1|p" | head -1 || true)}
  [ -n "$mirror" ] || unavailable "this host's apt knows no Debian mirror (ASTERISK_LAB_MIRROR may name one)"
  arch=$(dpkg --print-architecture)
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  : >"$apt/status"
  printf 'deb %s %s main\n' "$mirror" "$suite" >"$apt/sources.list"

  # The whole apt state lives in $apt; settings of the host such as a proxy still apply.
  local options=(
    -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
    -o "Dir::Cache=$apt/cache" -o "Dir::Log=$apt" -o "Dir::Etc::sourcelist=$apt/sources.list"
    -o 'Dir::Etc::sourceparts=/dev/null' -o 'Dir::Etc::preferences=/dev/null'
    -o 'Dir::Etc::preferencesparts=/dev/null' -o "APT::Architecture=$arch"
    -o 'APT::Install-Recommends=false' -o 'APT::Sandbox::User=root' -o 'Debug::NoLocking=true'
    -o 'APT::Update::Post-Invoke=' -o 'APT::Update::Post-Invoke-Success='
    -o 'Acquire::Languages=none' -o 'Acquire::Check-Valid-Until=false' -o 'Acquire::Retries=3'
    -o 'Acquire::http::Timeout=20' -o 'Acquire::https::Timeout=20'
  )
  if [ -d /usr/share/keyrings ]; then options+=(-o 'Dir::Etc::trustedparts=/usr/share/keyrings'); fi

  if ! apt-get "${options[@]}" -qq update >"$apt/log" 2>&1 || grep -q '^[EW]: .*\(Failed\|GPG\)' "$apt/log"; then
    unavailable "apt cannot read Debian's suite $suite (no network, suite gone, or debian-archive-keyring missing): $(
      grep -m1 '^[EW]:' "$apt/log" || true)"
  fi
  pretend_installed "$apt" "$arch" "${options[@]}"
  # shellcheck disable=SC2086 — a list of names
  apt-get "${options[@]}" -qq -y --download-only install $packages >"$apt/log" 2>&1 ||
    unavailable "apt cannot fetch $packages from the suite $suite: $(grep -m1 '^[EW]:' "$apt/log" || true)"
  for deb in "$apt"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
      --exclude='./usr/share/lintian/*' --exclude='./usr/lib/*/gconv/*' --exclude='./usr/share/i18n/*' \
      --exclude='./usr/share/zoneinfo/*'
  done
  [ -x "$dir/usr/sbin/asterisk" ] || fail "no asterisk program came out of the packages of $suite"
  make_sounds "$dir/usr/share/asterisk/sounds/en"
  dpkg-deb -f "$apt"/cache/archives/asterisk_*.deb Version >"$dir/asterisk-lab.version"
  rm -rf "$apt"
}

# Writes a dpkg status that holds the packages which the lab does without.
pretend_installed() {
  local apt=$1 arch=$2 name
  shift 2
  {
    printf '%s\n' $not_wanted
    apt-cache "$@" depends --no-recommends --no-suggests asterisk-modules |
      sed -n 's/^[ |]*Depends: *//p' | grep -Ev "$wanted_libs" | grep -Ev '^<'
  } | sort -u | while read -r name; do
    printf 'Package: %s\nStatus: install ok installed\nVersion: 9999:1\nArchitecture: %s\n' "$name" "$arch"
    printf 'Maintainer: none\nMulti-Arch: same\nDescription: none\n\n'
  done >"$apt/status"
}

# What the applications say by themselves, as 60 ms of silence each (ulaw), and two longer ones of the dialplan's.
make_sounds() {
  local dir=$1 name
  silence() { head -c "$2" /dev/zero | tr '\0' '\377' >"$dir/$1.ulaw"; }
  mkdir -p "$dir/digits"
  for name in beep beeperr pbx-transfer pbx-invalid pbx-invalidpark pbx-parkingfailed \
    conf-onlyperson conf-hasjoin conf-hasleft confbridge-join confbridge-leave \
    queue-thankyou queue-youarenext queue-thereare queue-callswaiting \
    vm-intro vm-theperson vm-isunavail vm-isonphone vm-goodbye; do
    silence "$name" 480
  done
  for name in 0 1 2 3 4 5 6 7 8 9; do silence "digits/$name" 480; done
  silence lab-welcome 8000
  silence lab-long 80000
}

# ---------------------------------------------------------------- running what was unpacked

# A link such as /lib/x -> /usr/lib/x would lead out of DIR: real files only.
loader_of() {
  local file
  for file in "$1"/lib64/ld-linux-*.so.* "$1"/usr/lib64/ld-linux-*.so.* "$1"/lib/ld-linux-*.so.* \
    "$1"/usr/lib/ld-linux-*.so.* "$1"/usr/lib/*/ld-linux-*.so.* "$1"/lib/*/ld-*.so*; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then
      echo "$file"
      return
    fi
  done
  fail "no dynamic loader in $1: run install first"
}

library_path() {
  local directory path=
  for directory in "$1"/lib/*-linux-* "$1"/usr/lib/*-linux-* "$1"/usr/lib/*-linux-*/asterisk "$1"/usr/lib/asterisk \
    "$1"/lib "$1"/usr/lib; do
    if [ -d "$directory" ]; then path=$path:$directory; fi
  done
  echo "${path#:}"
}

# Replaces this shell by the Asterisk of DIR, which dies with the process that started this shell.
become() {
  local dir=$1 loader mortal=()
  shift
  loader=$(loader_of "$dir")
  if command -v setpriv >/dev/null; then mortal=(setpriv --pdeathsig KILL --); fi
  exec "${mortal[@]}" "$loader" --library-path "$(library_path "$dir")" "$dir/usr/sbin/asterisk" "$@"
}

case ${1:-} in
  install) install_lab "${2:-}" "${3:-}" ;;
  run) shift && become "$@" ;;
  *)
    sed -n '2,17p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
