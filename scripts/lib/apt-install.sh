#!/bin/sh
# apt-install.sh PACKAGE... [-- UNIT...]: installs Debian or Ubuntu packages for their programs alone. Needs root.
# Packages of servers start them and enable them at boot: here nothing is started (a policy-rc.d that says no while apt
# runs, see invoke-rc.d(8)), and UNITs are disabled, so that no database or SSH server appears that nobody asked for.
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
kept=$policy.before-trivault

packages=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  packages="$packages $1"
  shift
done
[ $# -eq 0 ] || shift

restore() {
  rm -f "$policy"
  if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}
# A run that was killed may have left its own policy in place, with the machine's own one kept beside it.
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

apt-get -q update
# shellcheck disable=SC2086  # a list of package names, split on purpose
apt-get -q install -y -o Dpkg::Use-Pty=0 --no-install-recommends $packages

if [ -d /run/systemd/system ]; then
  for unit; do systemctl disable "$unit" || true; done
fi
