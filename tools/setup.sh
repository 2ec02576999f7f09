#!/bin/sh
# Make the virtual environment $1 with Crockery and its extras $2 in it. Installs Debian's python3-venv if that is missing,
# and for the tests the programs named in tests/packages.txt.
set -eu
venv=$1
extras=$2
can_install=
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then can_install=yes; fi

install() {
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

python=
for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ] || ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$can_install" ]; then
        echo "Installing Python (python3, python3-venv) ..."
        install python3 python3-venv
        python=${python:-python3}
    else
        echo "Crockery needs Python 3.11 or newer with venv: as root, run 'apt-get install python3 python3-venv'" >&2
        exit 1
    fi
fi
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || { echo "Making $venv ..."; "$python" -m venv "$venv"; }
echo "Installing Crockery and what it needs ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".$extras"

[ "$extras" = "[test]" ] && command -v dpkg-query >/dev/null || exit 0
missing=
for package in $(sed 's/#.*//' tests/packages.txt); do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ "$missing" ] || exit 0
if [ "$can_install" ]; then
    echo "Installing what tests run:$missing ..."
    # shellcheck disable=SC2086
    install $missing || echo "They could not be installed: their tests will be skipped." >&2
else
    echo "Tests of these will be skipped:$missing (as root, 'apt-get install$missing' installs them)" >&2
fi
