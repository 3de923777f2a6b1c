#!/bin/sh
# Installs an unpacked Hilum bundle; needs no network. Safe to run again; never overwrites settings or data.
#   ./install.sh [--prefix DIR] [--no-systemd]      default prefix: /opt/hilum
#   ./install.sh --uninstall [--prefix DIR]
set -eu
umask 022

# Where the files are, not the link (current) by which they were reached.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd -P)
prefix=/opt/hilum
systemd=yes
uninstall=no
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) [ $# -ge 2 ] || { echo "install.sh: --prefix wants a directory" >&2; exit 2; }; prefix=$2; shift 2 ;;
    --no-systemd) systemd=no; shift ;;
    --uninstall) uninstall=yes; shift ;;
    -h|--help) sed -n '2,/^[^#]/s/^# *//p' "$0"; exit 0 ;;
    *) echo "install.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
case "$prefix" in /*) ;; *) prefix=$(pwd -P)/$prefix ;; esac
version=$(cat "$here/VERSION")
programs="hilum-gateway hilum-control-plane hilumctl"
is_default() { [ "$prefix" = /opt/hilum ] && [ "$(id -u)" = 0 ]; }

if [ "$uninstall" = yes ]; then
  if is_default && [ "$systemd" = yes ] && command -v systemctl >/dev/null; then
    for unit in hilum-gateway hilum-control-plane; do
      systemctl disable --now "$unit" 2>/dev/null || true
      rm -f "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.before"
    done
    systemctl daemon-reload || true
  fi
  if is_default; then for name in $programs; do rm -f "/usr/local/bin/$name"; done; fi
  # Only what this script put there: folders of bundles, and the link to the current one.
  rm -f "$prefix/current"
  for folder in "$prefix"/*; do
    if [ -f "$folder/SHA256SUMS" ] && [ -x "$folder/runtime/node" ]; then rm -rf "$folder"; fi
  done
  rmdir "$prefix" 2>/dev/null || true
  echo "Removed Hilum from $prefix. Settings in /etc/hilum and data in /var/lib/hilum-* are untouched."
  exit 0
fi

(cd "$here" && sha256sum --check --quiet SHA256SUMS) || { echo "install.sh: the bundle is damaged" >&2; exit 1; }
real=$(readlink -m -- "$prefix")
case "$real/" in
  "$here"/*) echo "install.sh: $real is in the bundle itself; name a directory outside of it" >&2; exit 2 ;;
esac
mkdir -p "$prefix"
# Run out of the installation there is nothing to copy, and what is there must not be removed.
if [ "$here" != "$real/$version" ]; then
  rm -rf "$prefix/$version.new"
  cp -R "$here" "$prefix/$version.new"
  # Another build of the same version is what one goes back to, as the version before is.
  if [ -f "$prefix/$version/SHA256SUMS" ] && ! cmp -s "$prefix/$version/SHA256SUMS" "$here/SHA256SUMS"; then
    rm -rf "$prefix/$version.before"
    mv "$prefix/$version" "$prefix/$version.before"
    echo "The build of $version that was there is $prefix/$version.before. To go back: ln -sfn $version.before $prefix/current, and restart."
  fi
  rm -rf "$prefix/$version"
  mv "$prefix/$version.new" "$prefix/$version"
fi
ln -sfn "$version" "$prefix/current"

if is_default; then
  for name in $programs; do ln -sf "$prefix/current/bin/$name" "/usr/local/bin/$name"; done
  id hilum >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin hilum
  install -d -m 0755 /etc/hilum
  for name in gateway control-plane; do
    [ -e "/etc/hilum/$name.yaml" ] || install -m 0640 -g hilum "$here/deploy/settings/$name.yaml" "/etc/hilum/$name.yaml"
  done
  if [ "$systemd" = yes ] && command -v systemctl >/dev/null; then
    for unit in hilum-gateway hilum-control-plane; do
      there=/etc/systemd/system/$unit.service
      if [ -e "$there" ] && ! cmp -s "$there" "$here/deploy/systemd/$unit.service"; then
        cp -p "$there" "$there.before"
        echo "$there is written anew; the one before is $there.before. What you changed of it belongs into a drop-in: systemctl edit $unit"
      fi
      install -m 0644 "$here/deploy/systemd/$unit.service" "/etc/systemd/system/$unit.service"
    done
    systemctl daemon-reload || true
  fi
fi
if is_default; then
  echo "Hilum $version is in $prefix/current. Next: deploy/INSTALL.md, section 3."
else
  echo "Hilum $version is in $prefix/current. Programs: $prefix/current/bin. There is no user, unit or link for it: those are made by root with the default prefix alone."
fi
