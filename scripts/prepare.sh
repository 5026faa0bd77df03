#!/bin/sh
# Makes a checkout ready to work: `prepare.sh npm` installs the npm packages of the lockfile where they are
# missing or old; `prepare.sh all` also installs missing system packages and builds dist/. Says nothing and
# asks nobody when there is nothing to do. Plain sh, since it runs before anything is installed.
set -eu
cd "$(dirname "$0")/.."
LC_ALL=C
export LC_ALL

npm_packages() {
  # Either we installed exactly this lockfile, or npm itself wrote node_modules after it.
  cmp -s package-lock.json node_modules/.prepared 2>/dev/null && return
  if [ -f node_modules/.package-lock.json ] &&
    [ -z "$(find package-lock.json -newer node_modules/.package-lock.json)" ]; then
    cp package-lock.json node_modules/.prepared
    return
  fi
  echo 'prepare: installing npm packages from the lockfile' >&2
  # npm ci refuses a lockfile that lacks packages for other platforms, which a mirror may not carry; npm install takes
  # the same pinned versions from it.
  npm ci --no-audit --no-fund --loglevel=silent >&2 ||
    npm install --no-save --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.prepared
}

# What only tests need is left out unless it is asked for.
system_packages() {
  without=${1:+'/[[:space:]]tests:/d'}
  wanted=$(sed -e '/^#/d' -e "$without" -e 's/[[:space:]].*//' scripts/system-packages.txt)
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo 'prepare: not a Debian system; install the tools named in scripts/system-packages.txt yourself' >&2
    return
  fi
  # shellcheck disable=SC2016,SC2086 # dpkg-query's own placeholders; a list of words
  present=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii //p') || true
  missing=
  for package in $wanted; do
    case "
$present
" in
      *"
$package
"*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "prepare: system packages are missing; as root, run: apt-get update && apt-get install -y$missing" >&2
    exit 1
  fi
  echo "prepare: installing system packages:$missing" >&2
  log=$(mktemp)
  # shellcheck disable=SC2086 # a list of words
  if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing; } \
    >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    echo "prepare: apt-get failed; its output is above" >&2
    exit 1
  fi
  rm -f "$log"
}

built() {
  if [ -f dist/main.js ]; then
    [ -n "$(find src package.json scripts/build.mjs -newer dist/main.js -print | head -n 1)" ] || return 0
  fi
  node scripts/build.mjs
}

case "${1:-}" in
  npm) npm_packages ;;
  all)
    npm_packages
    system_packages
    built
    ;;
  demo)
    npm_packages
    system_packages without-tests
    built
    ;;
  *)
    echo 'usage: sh scripts/prepare.sh npm|demo|all' >&2
    exit 2
    ;;
esac
