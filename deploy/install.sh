#!/bin/sh
# Installs this bundle, or takes it away again. It needs no network. Safe to run twice.
#
#   ./install.sh [--prefix DIR] [--no-systemd]     DIR/VERSION and the link DIR/current; default /opt/hilum
#   ./install.sh --uninstall [--prefix DIR]        keeps settings, journal, store and keys
#
# As root it also makes the user hilum, /var/lib/hilum-*, /etc/hilum and the systemd units.
# A file in /etc/hilum is never overwritten. With another prefix the settings go to DIR/etc, and with
# --no-systemd too nothing outside DIR is touched.
set -eu

prefix=/opt/hilum
systemd=yes
uninstall=no
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }
fail() { echo "install.sh: $1" >&2; exit "${2:-1}"; }

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || fail '--prefix wants a directory' 2; prefix=${2%/}; shift ;;
    --prefix=*) prefix=${1#--prefix=}; prefix=${prefix%/} ;;
    --no-systemd) systemd=no ;;
    --uninstall) uninstall=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "$1 is not known" 2 ;;
  esac
  shift
done
case $prefix in /?*) ;; *) fail 'the prefix must be a whole path, not /' 2 ;; esac

here=$(CDPATH='' cd "$(dirname "$0")" && pwd -P)
units=/etc/systemd/system
etc=$prefix/etc
own=no
[ "$prefix" = /opt/hilum ] && { etc=/etc/hilum; own=yes; }
root=no
[ "$(id -u)" = 0 ] && root=yes
[ $root = yes ] || systemd=no
running() { [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }

if [ $uninstall = yes ]; then
  if [ $systemd = yes ]; then
    for unit in hilum-gateway hilum-control-plane; do
      # Only units of this prefix.
      grep -q "^ExecStart=$prefix/current/" "$units/$unit.service" 2>/dev/null || continue
      if running; then systemctl disable --now "$unit" || true; fi
      rm -f "$units/$unit.service"
    done
    if running; then systemctl daemon-reload; fi
  fi
  for name in hilum-gateway hilum-control-plane hilumctl; do
    link=/usr/local/bin/$name
    [ "$(readlink "$link" 2>/dev/null)" = "$prefix/current/bin/$name" ] && rm -f "$link"
  done
  rm -f "$prefix/current"
  for directory in "$prefix"/*; do
    [ -f "$directory/SHA256SUMS" ] && [ -x "$directory/runtime/node" ] && rm -rf "$directory"
  done
  rmdir "$prefix" 2>/dev/null || true
  echo "Taken away from $prefix. Kept: $etc, and the data and keys in /var/lib/hilum-*."
  exit 0
fi

[ -f "$here/VERSION" ] || fail 'run it from an unpacked bundle'
version=$(cat "$here/VERSION")
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "this bundle is for Linux x86_64, not $(uname -s) $(uname -m)"
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) || fail 'the bundle is damaged: unpack it again'
"$here/runtime/node" --version >/dev/null 2>&1 || fail 'its Node does not run here: glibc 2.28 or later is needed'

target=$prefix/$version
umask 022
mkdir -p "$prefix"
if cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS"; then
  echo "Hilum $version is in $target already."
elif [ "$here" != "$target" ]; then
  rm -rf "$prefix/.new" "$prefix/.old"
  mkdir "$prefix/.new"
  cp -R "$here/." "$prefix/.new/"
  [ $root = yes ] && chown -R 0:0 "$prefix/.new"
  [ -e "$target" ] && mv "$target" "$prefix/.old"
  mv "$prefix/.new" "$target"
  rm -rf "$prefix/.old"
  echo "Hilum $version is in $target."
fi
# A rename, so that "current" is there at every moment.
ln -sfn "$version" "$prefix/.current"
mv -Tf "$prefix/.current" "$prefix/current"

if [ $root = yes ] && { [ $systemd = yes ] || [ $own = yes ]; }; then
  getent group hilum >/dev/null || groupadd --system hilum
  getent passwd hilum >/dev/null ||
    useradd --system --gid hilum --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin hilum
  install -d -o hilum -g hilum -m 0700 /var/lib/hilum-gateway /var/lib/hilum-control-plane
fi
if [ $root = yes ] && [ $own = yes ]; then
  mkdir -p /usr/local/bin
  for name in hilum-gateway hilum-control-plane hilumctl; do
    ln -sfn "$prefix/current/bin/$name" "/usr/local/bin/$name"
  done
fi

if [ ! -d "$etc" ]; then
  mkdir -p "$etc"
  chmod 0750 "$etc"
  getent group hilum >/dev/null && [ $root = yes ] && chgrp hilum "$etc"
fi
for file in settings/gateway.yaml settings/control-plane.yaml config/site.yaml; do
  name=$etc/$(basename "$file")
  [ -e "$name" ] && continue
  cp "$here/deploy/$file" "$name"
  chmod 0640 "$name"
  [ $root = yes ] && getent group hilum >/dev/null && chgrp hilum "$name"
  echo "Wrote $name."
done

if [ $systemd = yes ]; then
  mkdir -p "$units"
  for unit in hilum-gateway hilum-control-plane; do
    sed -e "s#/opt/hilum/#$prefix/#g" -e "s#/etc/hilum/#$etc/#g" \
      "$here/deploy/systemd/$unit.service" >"$units/$unit.service"
    chmod 0644 "$units/$unit.service"
  done
  if running; then systemctl daemon-reload; fi
  echo 'Next: edit the settings, then systemctl enable --now hilum-control-plane or hilum-gateway.'
  echo 'After an upgrade: systemctl restart hilum-gateway (senders wait for a second or two).'
fi
echo "Read on in $prefix/current/deploy/INSTALL.md."
