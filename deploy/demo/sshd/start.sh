# Makes the server's key and the client's once, in the volume that the workers see, and beside them the known_hosts file
# that an operator would have got from `ssh-keyscan`; then serves.
set -eu
cd /etc/trivault
for name in ssh_host_ed25519_key id_ed25519; do
  [ -e "$name" ] || ssh-keygen -q -t ed25519 -N "" -C trivault-demo -f "$name"
done
printf '[demo-sshd]:2222 %s\n' "$(cat ssh_host_ed25519_key.pub)" >known_hosts
exec /usr/sbin/sshd -D -e -f /opt/sshd_config
