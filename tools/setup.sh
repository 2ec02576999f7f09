#!/bin/sh
# Make the virtual environment $1 with Crockery and its extras $2 in it. Installs Debian's python3-venv if that is missing.
set -eu
venv=$1
extras=$2
python=
for name in python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ] || ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "Installing Python (python3, python3-venv) ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >/dev/null
        python=${python:-python3}
    else
        echo "Crockery needs Python 3.11 or newer with venv: as root, run 'apt-get install python3 python3-venv'" >&2
        exit 1
    fi
fi
[ -x "$venv/bin/python" ] || { echo "Making $venv ..."; "$python" -m venv "$venv"; }
echo "Installing Crockery and what it needs ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".$extras"
